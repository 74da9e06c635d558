"""Lineage: every link is found by hash, and a changed byte reaches all below it and no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny
from datasets import Dataset

from fmcourse import data, models, sources, store, train
from fmcourse.data import governance
from fmcourse.errors import DataError, StoreError

READ = train.PretrainRecipe(tokens=64, context=32, batch_tokens=64, micro_batch_tokens=64)


_MADE: dict[str, Path] = {}


@pytest.fixture
def graph(project, letters, tmp_path, tmp_path_factory):
    """Letters, cleaned, as tokens, learnt from on a base; an adapter tuned and sent elsewhere.

    Made once, and copied for each test.
    """
    if not _MADE:
        _make(project)
        _MADE["all"] = tmp_path_factory.mktemp("made") / "all"
        shutil.copytree(tmp_path, _MADE["all"])
    shutil.rmtree(project.folder)
    shutil.copytree(_MADE["all"], tmp_path, dirs_exist_ok=True)
    return governance.lineage(project.folder)


def _make(project):
    folder, clean = project.folder, project.load("clean")
    tiny.model().save(folder / "base")
    train.pretrain(models.load(folder / "base"), data.tokens(clean, tiny.tokenizer()), READ,
                   name="reader", folder=folder / "runs" / "reader", show_progress=False)
    reader = models.load(folder / "runs" / "reader")
    talks = data.with_card(Dataset.from_list([
        {"text": f"talk {i}", "messages": data.conversation("Who?", "A fox.")}
        for i in range(8)]), data.card(clean).step("asked", 8, 23))
    project.save(talks, "talks")
    run = train.instruct(reader, talks, train.InstructRecipe(
        tokens=32, least_steps=1, max_length=32, adapter=models.Adapter("lora", rank=2)),
        name="tuned", folder=folder / "runs" / "tuned", show_progress=False)
    run.adapter.save(folder / "shipped")
    models.merged(models.attach(reader, run.adapter)).save(folder / "merged")


def named(graph, ids):
    return sorted(f"{graph.nodes[one].kind} {graph.nodes[one].name}" for one in ids)


LETTERS, CLEAN, TALKS = "data set letters", "data set clean", "data set talks"
TOKENS, READER, TUNED = "tokens tokens of letters.jsonl", "run reader", "run tuned"


def test_a_model_leads_back_to_its_bytes(graph):
    tuned = next(node for node in graph.nodes.values()
                 if (node.kind, node.name) == ("run", "tuned"))
    assert named(graph, graph.ancestors(tuned.id)) == sorted([
        "source letters.jsonl", LETTERS, CLEAN, TALKS, TOKENS, READER, "model custom-causal"])
    source = next(node for node in graph.nodes.values() if node.kind == "source")
    assert source.id == store.sha256_file(graph.folder / "sources" / "letters.jsonl")
    below = named(graph, graph.descendants(source.id))
    assert {LETTERS, CLEAN, TALKS, TOKENS, READER, TUNED, "adapter tuned"} <= set(below)
    assert any("copy" in name for name in below)
    assert not graph.changed() | graph.stale() | graph.unchecked()
    assert graph.broken == ()


def test_a_student_goes_back_to_what_its_teacher_read(graph):
    teacher = models.load(graph.folder / "runs" / "tuned")
    talks = governance.read(graph.folder).load("talks")
    recipe = train.LogitRecipe(tokens=32, least_steps=1, max_length=32, top_k=8)
    train.distil(tiny.model(seed=9), teacher, talks, recipe, name="student",
                 folder=graph.folder / "runs" / "student", show_progress=False)
    again = governance.lineage(graph.folder)
    student = next(node for node in again.nodes.values() if node.name == "student")
    assert {TUNED, READER, TALKS} <= set(named(again, again.ancestors(student.id)))
    assert "run student" in named(again, again.descendants(next(
        node.id for node in again.nodes.values() if node.name == "reader")))


def test_what_a_teacher_said_is_found_and_looked_after(graph):
    teacher, kept = models.load(graph.folder / "runs" / "tuned"), governance.read(graph.folder)
    recipe = train.LogitRecipe(tokens=32, least_steps=1, max_length=32, top_k=8)
    train.distil(tiny.model(seed=9), teacher, kept.load("talks"), recipe, name="student",
                 folder=graph.folder / "runs" / "student", show_progress=False)
    again = governance.lineage(graph.folder)
    said = again.nodes[store.read_json(graph.folder / "runs" / "student" / "run.json")[
        "parents"]["said"]]
    assert said.name.startswith("what a teacher said of ")
    assert "run student" in named(again, again.descendants(said.id))
    assert {TUNED, TALKS} <= set(named(again, again.ancestors(said.id)))
    place = said.paths[0].parent
    touched = governance.touched_by(again, record=store.sha256_text(kept.load("talks")["text"][0]))
    assert ("tokens", "delete; it is made again from the data") in {
        (row["kind"], row["what to do"]) for row in touched.rows()
        if place.as_posix() in row["where"]}
    file = place / "tokens.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert said.id in again.changed()
    shutil.rmtree(place)
    assert said.id not in governance.lineage(graph.folder).nodes


def test_one_changed_byte_is_seen_at_every_thing_and_below(graph):
    for key, node in graph.nodes.items():
        path = node.paths[0]
        files = [path] if node.kind == "source" else [path] + [
            path.parent / name for name in store.read_json(path)[store.FILES]]
        for file in files:
            whole = file.read_bytes()
            file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
            assert graph.changed() == {key}
            assert graph.stale() == graph.descendants(key)
            file.write_bytes(whole)
    assert not graph.changed()


def test_what_a_seal_leaves_out_would_not_be_seen(graph):
    """The mechanism broken: without a file in the seal, its change goes unseen."""
    path = graph.folder / "data" / "letters" / "card.json"
    told = store.read_json(path)
    arrow = next(path.parent.glob("*.arrow"))
    store.seal(path, told, [path.parent / name for name in told["files"] if name != arrow.name])
    arrow.write_bytes(arrow.read_bytes()[:-1] + b"!")
    assert not graph.changed()


def test_what_is_gone_or_broken_is_told(graph):
    path = graph.folder / "data" / "letters" / "card.json"
    path.write_text("{")
    again = governance.lineage(graph.folder)
    assert again.broken == (path,)
    assert LETTERS in named(graph, graph.changed())
    path.unlink()
    assert LETTERS in named(graph, graph.changed())


def test_what_is_kept_elsewhere_is_known_by_hash_alone(project, letters):
    (project.folder / "sources" / "letters.jsonl").unlink()
    graph = governance.lineage(project.folder)
    assert named(graph, graph.unchecked()) == ["source letters.jsonl"]
    assert not graph.changed()


def test_things_are_found_by_name_path_and_hash(graph):
    letters = graph.find("letters")
    assert graph.find(letters.id[:10]) == graph.find("data/letters/card.json") == letters
    for name in ("tuned", "nothing"):
        with pytest.raises(StoreError, match="called"):
            graph.find(name)
    with pytest.raises(StoreError, match="no such folder"):
        governance.lineage(graph.folder / "nowhere")
    with pytest.raises(StoreError, match="a file, not a folder"):
        governance.lineage(graph.folder / "policy.toml")


def test_it_is_written_as_prov(graph, tmp_path):
    from prov.model import ProvActivity, ProvDocument, ProvEntity, ProvUsage

    path = governance.write_prov(graph, tmp_path / "prov.json")
    again = ProvDocument.deserialize(str(path), format="json")
    assert again == governance.prov(graph)
    assert len(list(again.get_records(ProvEntity))) == len(graph.nodes)
    made = [node for node in graph.nodes.values() if node.kind in ("data set", "run")]
    assert len(list(again.get_records(ProvActivity))) == len(made)
    used = sum(graph.nodes[newer] in made for _, newer in graph.edges)
    assert len(list(again.get_records(ProvUsage))) == used
    derived = json.loads(path.read_text())["wasDerivedFrom"]
    assert len(derived) == len(graph.edges)


def test_a_request_for_erasure_reaches_what_learnt_from_it(graph, project):
    found = project.erasure("ANN@example.org")
    assert named(graph, found.holds) == sorted(["source letters.jsonl", LETTERS, CLEAN])
    assert {"run reader", "run tuned", TOKENS} <= set(named(graph, [n.id for n in found.learnt]))
    assert named(graph, [node.id for node in found.derived]) == [TALKS]
    told = {(row["kind"], row["name"]): row["what to do"] for row in found.rows()}
    assert "train again" in told["run", "reader"]
    assert "pseudonym" in told["data set", "talks"]
    entry = project.log.entries()[-1]
    assert entry.event == "erasure asked"
    assert "ann@" not in project.log.path.read_text()


def test_a_record_is_found_by_its_hash_and_nobody_is_found_nowhere(graph, letters):
    record = store.sha256_text(letters["text"][0])
    found = governance.touched_by(graph, record=record)
    assert LETTERS in named(graph, found.holds)
    nobody = governance.touched_by(graph, "nobody@example.org")
    assert not nobody
    assert str(nobody) == "Nothing here holds it."
    for wrong in ({}, {"words": "a", "record": "b"}, {"words": " "}):
        with pytest.raises(DataError, match="names a person"):
            governance.touched_by(graph, **wrong)


def test_what_reads_only_redacted_data_is_left_to_judge(project, letters):
    redacted = data.with_card(
        letters.map(lambda row: {"text": row["text"].replace("ann@example.org", "[EMAIL]")}),
        data.card(letters).step("redacted", len(letters), 0))
    project.save(redacted, "redacted")
    train.pretrain(tiny.model(), data.tokens(project.load("redacted"), tiny.tokenizer()), READ,
                   name="reader", folder=project.folder / "runs" / "reader", show_progress=False)
    found = project.erasure("ann@example.org")
    assert found.learnt == ()
    assert [node.name for node in found.derived] == ["redacted", "tokens of letters.jsonl",
                                                     "reader"]
    assert "a person has to judge" in str(found)


def test_cards_of_before_know_less_but_do_not_fail(tmp_path):
    run = tmp_path / "runs" / "old"
    store.write_json(run / "run.json", {"name": "old", "parents": {}})
    store.write_json(tmp_path / "model" / "card.json", {"objective": "causal", "name": "m"})
    store.write_json(tmp_path / "other" / "card.json", {"x": 1})
    store.write_json(tmp_path / "list" / "card.json", [1])
    graph = governance.lineage(tmp_path)
    assert (graph.nodes, graph.edges) == ({}, ())
    assert graph.broken == ()  # what is not ours is passed by


@pytest.mark.parametrize(("file", "text"), [
    ("card.json", '{"sources": {"a": null}, "sha256": "0", "name": "d"}'),
    ("card.json", '{"sources": {"a": "1"}, "sha256": "0", "name": "d"}'),
    ("card.json", '{"sources": {"a": "1"}, "sha256": 5, "name": "d", "licence": [], '
                  '"attribution": [], "steps": []}'),
    ("run.json", '{"name": "r", "model": null, "parents": {}, "reads": []}'),
    ("run.json", '{"name": "r", "model": "0", "parents": {}, "reads": [{"sha256": "1"}]}'),
    ("run.json", '{"name": "r", "model": "0", "parents": {"start": 3}, "reads": []}'),
    ("run.json", '{"name":'), ("tokens.json", "{}")])
def test_what_says_nonsense_of_itself_is_broken(project, file, text):
    store.atomic_write(project.folder / "x" / file, text)
    graph = governance.lineage(project.folder)
    assert graph.nodes == {}
    assert graph.broken == (project.folder / "x" / file,)
    assert "not searched, for it cannot be read" in str(project.erasure("Ann"))
    assert f"x/{file}" in str(governance.audit(project.folder))


def test_a_folder_of_sources_is_one_source(project):
    folder = project.folder / "sources" / "notes"
    for name in "ab":
        store.atomic_write(folder / f"{name}.txt", f"Some words about {name}.")
    project.save(sources.load(folder), "notes")
    graph = governance.lineage(project.folder)
    assert not graph.changed()
    (folder / "b.txt").write_text("Other words about b.")
    assert named(graph, graph.changed()) == ["source notes"]
    assert named(graph, graph.stale()) == ["data set notes"]
