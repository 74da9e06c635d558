"""G5: one changed byte is traced to everything that was made of it, and to nothing else."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from datasets import Dataset

from fmcourse import data, models, sources, store, train
from fmcourse.data import governance
from fmcourse.data.governance import Governance, Lineage, Node, Project
from fmcourse.data.governance.lineage import ADAPTER, SOURCE, TOKENS
from fmcourse.evidence.experiments.shared import Outcome
from fmcourse.models import LanguageModel

FLAGGED, ITSELF = "share flagged", "flips seen at the very thing"
BELOW, BESIDE = "descendants", "not descended"
FACTS = Governance("the experiment", ("research",), "2099-12-31", "public", "public domain")
CONTEXT = 32
Made = dict[str, set[str]]  # a thing's name → names of what it was made of directly


def traced(seed: int, graphs: int = 4, sets: int = 8, texts: int = 40) -> Outcome:
    """Flip a byte of each thing in turn, in real chains made for this, and see what is flagged.

    One chain goes from two sources by way of cleaning, tokens and a base through pre-training and
    tuning to an adapter, in real but tiny trainings; the others are data sets joined at random.
    What descends from what is known from the making, not from the graph. Which byte is flipped is
    left to chance.

    Args:
        graphs: of joined data sets.
        sets: in each of them.
        texts: of each source.
    """
    draw = random.Random(seed)
    verses = sources.load("web-bible", limit=3 * texts)["text"][:]
    tokenizer = models.load("base").tokenizer
    model = models.build(models.Shape(width=32, layers=1, inner=32, heads=2), tokenizer,
                         context=CONTEXT, seed=seed)
    counts: dict[str, list[bool]] = {BELOW: [], BESIDE: [], ITSELF: []}
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as work, mock.patch.dict(
            os.environ, {"FMCOURSE_HOME": str(Path(work) / "home")}):
        for number in range(graphs + 1):
            project = governance.start(Path(work) / str(number), name=f"graph {number}",
                                       owner="the experiment", purpose="research")
            made = _trained(project, model, verses, texts) if number == 0 else _joined(
                project, verses, texts, sets, draw)
            graph = governance.lineage(project.folder)
            for name in made:
                _flip_and_look(graph, name, made, draw, counts)
            if graph.changed():
                raise AssertionError("a byte was not put back")
    arms = {arm: {FLAGGED: sum(counts[arm]) / len(counts[arm])} for arm in (BELOW, BESIDE)}
    arms[BELOW][ITSELF] = sum(counts[ITSELF]) / len(counts[ITSELF])
    return Outcome(arms, {"verses": store.sha256_json(verses)},
                   {"flips": len(counts[ITSELF]), "descendants": len(counts[BELOW]),
                    "others": len(counts[BESIDE])})


def _trained(project: Project, model: LanguageModel, verses: list[str], texts: int) -> Made:
    """Two sources, one cleaned and learnt from, the other tuned on; and one that is only kept."""
    folder = project.folder
    for number, name in enumerate(("read", "asked", "kept")):
        _source(project, name, verses[number * texts:(number + 1) * texts])
    clean = data.normalise(project.load("read"))
    project.save(clean, "clean")
    model.save(folder / "base")
    base, rows = models.load(folder / "base"), data.tokens(clean, model.tokenizer)
    train.pretrain(base, rows, train.PretrainRecipe(
        tokens=CONTEXT, context=CONTEXT, batch_tokens=CONTEXT, micro_batch_tokens=CONTEXT),
        name="reader", folder=folder / "runs/reader", show_progress=False)
    asked = project.load("asked")
    talks = data.with_card(Dataset.from_list([
        {"text": f"Go on. {text[:24]}", "messages": data.conversation("Go on.", text[:24])}
        for text in asked["text"]]), data.card(asked).step("asked", len(asked), 0))
    project.save(talks, "talks")
    run = train.instruct(models.load(folder / "runs/reader"), talks, train.InstructRecipe(
        tokens=CONTEXT, least_steps=1, max_length=CONTEXT, adapter=models.Adapter(
            "lora", rank=2)), name="tuned", folder=folder / "runs/tuned", show_progress=False)
    run.adapter.save(folder / "shipped")
    return {"read.jsonl": set(), "asked.jsonl": set(), "kept.jsonl": set(), "base": set(),
            "read": {"read.jsonl"}, "asked": {"asked.jsonl"}, "kept": {"kept.jsonl"},
            "clean": {"read"}, "tokens": {"clean"}, "reader": {"base", "tokens"},
            "talks": {"asked"}, "tuned": {"reader", "talks"}, "adapter": {"tuned"},
            "shipped": {"adapter"}}


def _joined(project: Project, verses: list[str], texts: int, sets: int, draw: random.Random
            ) -> Made:
    """Three sources, and data sets that are each joined of one to three earlier ones."""
    made: Made = {}
    for number, name in enumerate("abc"):
        _source(project, name, verses[number * texts:(number + 1) * texts])
        made |= {f"{name}.jsonl": set(), name: {f"{name}.jsonl"}}
    for number in range(sets):
        known = [name for name in made if not name.endswith(".jsonl")]
        parts = draw.sample(known, draw.randint(1, 3))
        joined = data.combine(f"set{number}", [project.load(part) for part in parts])
        project.save(data.sample(joined, len(joined) - 1, seed=number), f"set{number}")
        made[f"set{number}"] = set(parts)
    return made


def _source(project: Project, name: str, texts: list[str]) -> None:
    """Write a raw file, and read it as a governed data set."""
    path = project.folder / "sources" / f"{name}.jsonl"
    lines = [json.dumps({"text": text[:200], "document": f"{name} {i}"})
             for i, text in enumerate(texts)]
    store.atomic_write(path, "\n".join(lines))
    project.save(governance.govern(sources.load(path), FACTS), name)


def _flip_and_look(graph: Lineage, name: str, made: Mapping[str, set[str]], draw: random.Random,
                   counts: dict[str, list[bool]]) -> None:
    """Change one byte of one file of a thing, count what is flagged, and put it back."""
    names = {_named(node, graph): key for key, node in graph.nodes.items()}
    path = draw.choice(files(graph.nodes[names[name]]))
    whole = path.read_bytes()
    place = draw.randrange(len(whole))
    flipped = bytes([whole[place] ^ (1 << draw.randrange(8))])
    path.write_bytes(whole[:place] + flipped + whole[place + 1:])
    try:
        changed, stale = graph.changed(), graph.stale()
    finally:
        path.write_bytes(whole)
    below = _below(made, name)
    counts[ITSELF].append(changed == {names[name]})
    for other in set(made) - {name}:
        counts[BELOW if other in below else BESIDE].append(names[other] in stale | changed)


def files(node: Node) -> list[Path]:
    """All files of a thing that lies here: those its seal names, and the one that holds it."""
    path = node.paths[0]
    if node.kind == SOURCE:
        return [path]
    return [path, *(path.parent / name for name in store.read_json(path)[store.FILES])]


def _named(node: Node, graph: Lineage) -> str:
    """What the making called it."""
    if node.kind == TOKENS:
        return "tokens"
    if node.kind == ADAPTER:
        return "shipped" if node.paths[0].parent == graph.folder / "shipped" else "adapter"
    return node.paths[0].parent.name if node.kind == "model" else node.name


def _below(made: Mapping[str, set[str]], name: str) -> set[str]:
    """What descends from a thing, by how it was made."""
    found = {name}
    while more := {one for one, parts in made.items() if parts & found} - found:
        found |= more
    return found - {name}
