"""One example of every picture, and helpers that look at a picture as a reader would."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.text import Text

from fmcourse import show
from fmcourse.data.governance import Lineage, Node
from fmcourse.evaluate.intervals import ALL

TOKENS = ["The", " cat", " sat", "\n", " on", " the", " mat", "."]


def history(rows=60, end=8e5, floor=3.5):
    tokens = np.linspace(end / rows, end, rows)
    return pd.DataFrame({"tokens": tokens, "step": np.arange(1, rows + 1),
                         "loss": floor + 5 * np.exp(-4 * tokens / end)})


def pairs(accuracy, chance=0.5):
    names = ["agreement", "word order", ALL]
    accuracy = np.array(accuracy)
    return pd.DataFrame({"phenomenon": names, "accuracy": accuracy, "low": accuracy - 0.05,
                         "high": accuracy + 0.05, "chance": chance})


def costs():
    return pd.DataFrame({
        "phase": ["pre-training", "continued pre-training", "fine-tuning"],
        "tokens": [1e7, 3e6, 2e5], "flops": [6e14, 1.8e14, 1.2e13],
        "seconds": [4000, 620, 45], "memory": [2.1e9, np.nan, 0.9e9]})


def points():
    return pd.DataFrame([{"group": f"{n / 1e6:g} M", "parameters": n, "flops": 6 * n * t,
                          "loss": 2 + 30 * n**-0.2 + 60 * t**-0.35}
                         for n in (3e5, 1e6, 3e6, 1e7) for t in (2e4, 6e4, 2e5)])


def front():
    means = {"base": (2.19, 1.50), "replay 0%": (1.29, 1.83), "replay 10%": (1.30, 1.70),
             "replay 25%": (1.33, 1.62), "replay 50%": (1.40, 1.57), "general text": (2.19, 1.49)}
    return [{"label": name, "domain, bits per byte": x + shift,
             "general, bits per byte": y - shift} for name, (x, y) in means.items()
            for shift in (-0.01, 0, 0.01)]


def curves():
    return [{"arm": arm, "labels": n, "accuracy": top * (1 - 0.9 * n**-0.3) + shift}
            for arm, top in (("base, full", 0.9), ("base, frozen", 0.7), ("scratch, full", 0.5))
            for n in (8, 64, 512, 4096) for shift in (-0.02, 0, 0.02)]


PICTURES = {
    "loss_curve": lambda: show.loss_curve(
        {"real text": history(), "shuffled words": history(floor=4.6), "alike": history()},
        smooth=0.9, baselines={"unigram": 7.1, "uniform": 9.01}, title="Order is learnt"),
    "loss_curve_log": lambda: show.loss_curve(history(), log_x=True),
    "scaling": lambda: show.scaling(points(), fit="frontier", title="Loss falls"),
    "scaling_points": lambda: show.scaling(points().iloc[2::3].drop(columns="group")),
    "cost_bars": lambda: show.cost_bars(costs(), title="What each phase cost"),
    "before_after": lambda: show.before_after(
        {"general": 1.62, "AWS": 2.31}, {"general": 1.93, "AWS": 1.21},
        control={"general": 1.6, "AWS": 2.2}, title="In and out"),
    "trade_off": lambda: show.trade_off(front(), "domain, bits per byte", "general, bits per byte",
                                        start="base", title="Replay"),
    "learning_curves": lambda: show.learning_curves(curves(), chance=1 / 24, title="Transfer"),
    "pairs_bars": lambda: show.pairs_bars(
        {"untrained": pairs([0.5, 0.48, 0.49]), "ours": pairs([0.7, 0.9, 0.8])}, title="Grammar"),
    "seeds": lambda: show.seeds(
        {"domain text": [0.52, 0.55, 0.53], "general text": [0.03, 0.02, 0.05]},
        control="general text", bound=0.3, unit="bits per byte gained", title="K9"),
    "mask_figure": lambda: show.mask_figure(TOKENS, {
        "causal": ["read"] + ["scored"] * 7,
        "masked": ["read", "hidden", "read", "read", "read", "hidden", "read", "padding"]}),
    "attention_pattern": lambda: show.attention_pattern(6, title="Who reads what"),
    "attention_tokens": lambda: show.attention_pattern(tokens=TOKENS),
    "funnel": lambda: show.funnel(
        [{"step": "too short", "kept": 39_100, "dropped": 2_100},
         {"step": "duplicates", "kept": 27_900, "dropped": 11_200}], title="From raw to clean"),
    "lineage": lambda: show.lineage(chain(), title="Where it came from"),
}


def chain():
    """A graph of things that are nowhere on disk but for one, which has changed."""
    made = {"letters.jsonl": ("source", ()), "letters": ("data set", ("letters.jsonl",)),
            "clean": ("data set", ("letters",)), "tokens of clean": ("tokens", ("clean",)),
            "base": ("model", ()), "reader": ("run", ("base", "tokens of clean")),
            "answers": ("data set", ("letters",)), "tuned": ("run", ("reader", "answers")),
            "adapter of tuned": ("adapter", ("tuned",))}
    gone = {"clean": (Path("gone") / "card.json",)}
    nodes = {name: Node(name, kind, name, gone.get(name, ()))
             for name, (kind, _) in made.items()}
    edges = tuple((one, name) for name, (_, parts) in made.items() for one in parts)
    return Lineage(Path("."), nodes, edges)


def texts(figure):
    """The texts a reader sees, with their boxes in pixels."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text.axes is not None:
            if not text.axes.get_visible():
                continue
            found.append((text, text.get_window_extent(renderer)))
    return found
