"""The page that goes with a shipped model: what it learnt from, how, how well, at what price.

Written as Hugging Face's model cards are (README.md, after Mitchell et al. 2019, arXiv:1810.03993),
and from nothing but what training itself kept: the run's card, and the card of the model that the
run started from. So no number in it is typed by hand, and what nobody measured is called so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WATTS_A_CORE, WATTS_A_GIGABYTE = 12.0, 0.3725  # see `energy`
UNMEASURED = "Nothing was measured."


def model_card(about: Mapping[str, Any], limits: str = "") -> str:
    """The page, as Markdown.

    Args:
        about: what is kept in the shipped folder's `card.json`; see `ship.export`.
        limits: more of them: intended use, known failures, what it must not decide.
    """
    before = about["before"]  # its name is the later model's where that was tuned on
    stages = [{**stage, "name": name} for name, stage in (
        (about["name"], about["run"]),
        ("the model it started from" if about["run"] else about["name"], before)) if stage]
    parts = [
        "---\nlibrary_name: transformers\npipeline_tag: text-generation\n---",
        f"# {about['name']}", about["size"], "## Data", *map(_data, stages),
        "## Lineage", _table(("what", "SHA-256"), [
            ("this model", f"`{about.get('sha256', 'of its files: see manifest.json')}`"),
            *(row for stage in stages for row in _parents(stage))]),
        "## Training", *map(_training, stages),
        "## Evaluation", *map(_evaluation, stages),
        "## Cost", _table(("", "tokens", "FLOPs", "hours", "energy, estimated"),
                          [row for stage in stages for row in _cost(stage)]),
        "Energy is not measured but estimated: 12 W for each core of a CPU and 0.3725 W for each "
        "gigabyte of memory in use (Green Algorithms, doi:10.1002/advs.202100707), for as long as "
        "training took.",
        "## Limits", *filter(None, [limits, *(stage.get("limits") for stage in stages)]),
        "What is not listed under Evaluation was not measured: take it for unknown, not for good.",
        "## Licences", "Of the texts and models that it was made of:",
        "\n".join(f"- {line}" for line in dict.fromkeys(
            line for stage in stages for line in _licences(stage))) or "- none on record"]
    return "\n\n".join(filter(None, parts)) + "\n"


def energy(cost: Mapping[str, float], environment: Mapping[str, Any]) -> float | None:
    """Watt-hours that a stage of training took, estimated; None on a GPU, whose draw is not known.

    Cores at full load and memory, by the averages that Green Algorithms takes where the processor
    is not known (Lannelongue, Grealey and Inouye 2021, doi:10.1002/advs.202100707); without the
    cooling of a data centre.

    >>> round(energy({"seconds": 3600, "peak_memory_bytes": 4e9}, {"device": "cpu", "cores": 2}), 1)
    25.5
    """
    if environment.get("device") != "cpu" or "cores" not in environment:
        return None
    watts = (WATTS_A_CORE * environment["cores"]
             + WATTS_A_GIGABYTE * cost["peak_memory_bytes"] / 1e9)
    return watts * cost["seconds"] / 3600


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    """A value in a cell: no line break or bar in it may end the cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _title(stage: Mapping[str, Any]) -> str:
    return f"**{_cell(stage['name'])}**"


def _data(stage: Mapping[str, Any]) -> str:
    rows = [(card["name"], f"{card['texts']:,}", f"{card['characters']:,}",
             "; ".join(f"{step['step']}: kept {step['kept']:,}, dropped {step['dropped']:,}"
                       for step in card["steps"]) or "none on record",
             f"`{card['sha256'][:12]}`") for card in stage.get("reads", [])]
    known = _table(("data set", "texts", "characters", "steps", "SHA-256"), rows)
    return f"{_title(stage)}\n\n{known}" if known else (
        f"{_title(stage)}: no card of its data is on record; its sources are under Lineage.")


def _parents(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, sha256 in stage.get("parents", {}).items():
        yield f"{stage['name']}: {name}", f"`{sha256}`"
    for sha256 in stage.get("made_of", []):
        yield "made of", f"`{sha256}`"


def _training(stage: Mapping[str, Any]) -> str:
    recipe = ", ".join(f"{key} {value}" for key, value in stage.get("recipe", {}).items())
    machine = stage.get("environment", {})
    on = f" On {machine['name']}, {machine['dtype']}, torch {machine['torch']}." if machine else ""
    return f"{_title(stage)}: {_cell(recipe or 'no recipe on record')}.{on}"


def _evaluation(stage: Mapping[str, Any]) -> str:
    rows = [(name, f"{value:.4g}") for key in ("metrics", "measures")
            for name, value in _numbers(stage.get(key, {}))]
    return f"{_title(stage)}\n\n{_table(('measure', 'value'), rows) or UNMEASURED}"


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested tables, by its path; lists are curves, and left out."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _numbers(one, f"{name}, {key}" if name else str(key))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name.replace("_", " "), value


def _cost(stage: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    cost = stage.get("cost")
    if cost:
        watt_hours = energy(cost, stage.get("environment", {}))
        yield (stage["name"], f"{cost['tokens']:,}", f"{cost['flops']:.2e}",
               f"{cost['seconds'] / 3600:.2f}",
               "not known" if watt_hours is None else f"{watt_hours:.1f} Wh")


def _licences(stage: Mapping[str, Any]) -> Iterator[str]:
    for card in [stage, *stage.get("reads", [])]:
        for key in ("licence", "attribution"):
            said = card.get(key, [])
            yield from [said] if isinstance(said, str) else said
