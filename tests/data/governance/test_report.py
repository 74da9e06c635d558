"""The compliance report, and cards as other tools read them."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
import tiny
import yaml
from datasets import load_dataset

from fmcourse import data, models, store, train
from fmcourse.data import governance, privacy
from fmcourse.data.governance.admission import UNGUARDED
from fmcourse.data.governance.report import ANSWERS, GAP, OUTSIDE, SHOWN
from fmcourse.errors import PolicyError

FACTS = governance.Governance("data team", ("research",), "2099-12-31", "internal", "our own")


def states(report):
    return {name: one.state for name, one in zip(_names(), report.answers, strict=True)}


def _names():
    import tomllib

    from fmcourse.data.governance.report import QUESTIONS
    return [one["evidence"] for one in tomllib.loads(QUESTIONS.read_text())["questions"]]


def test_every_question_has_its_evidence():
    assert sorted(_names()) == sorted(ANSWERS)


def test_a_whole_project_has_no_gap(project, letters):
    report = governance.audit(project.folder)
    assert report.gaps == []
    assert {state for name, state in states(report).items() if name != "access_control"} == {SHOWN}
    assert states(report)["access_control"] == OUTSIDE
    assert "no legal advice" in str(report)
    assert "no legal advice" in report._repr_html_()


def test_what_is_wrong_becomes_a_gap(project, letters):
    late = states(governance.audit(project.folder, date(2100, 1, 1)))
    assert [name for name, state in late.items() if state == GAP] == ["retention"]
    people = governance.Governance("x", ("teaching",), "2099-12-31", "personal")
    project.save(governance.govern(tiny.dataset(), people), "people")
    wrong = states(governance.audit(project.folder))
    assert [name for name, state in wrong.items() if state == GAP] == [
        "purposes", "bases", "redactions"]


def test_a_changed_log_a_changed_file_and_a_silent_run_are_gaps(project, letters):
    text = project.log.path.read_text().replace("ann", "bob", 1)
    project.log.path.write_text(text)
    store.atomic_write(project.folder / "data" / "clean" / "state.json", "{}")
    store.seal(project.folder / "runs" / "secret" / "run.json", {
        "name": "secret", "model": "ab", "parents": {}, "reads": []}, [])
    found = states(governance.audit(project.folder))
    assert {"chain", "integrity", "accesses", "traceability"} == {
        name for name, state in found.items() if state == GAP}


def test_an_empty_project_has_nothing_to_show(project):
    assert states(governance.audit(project.folder))["inventory"] == GAP
    with pytest.raises(PolicyError, match="no governed project"):
        governance.audit(project.folder.parent)


@pytest.fixture
def command(command):
    return partial(command, "data")


def test_the_command_prints_it_and_fails_on_gaps(command, project, letters, monkeypatch):
    code, said, complained = command("audit", project.folder)
    assert (code, complained) == (0, "")
    assert "Compliance report of letters" in said
    assert "no legal advice" in said
    monkeypatch.chdir(project.folder)
    project.log.path.write_text(project.log.path.read_text().replace("ann", "bob", 1))
    code, said, complained = command("audit")
    assert code == 1
    assert "gap" in said
    assert "Questions without evidence: 1 of 13" in complained


def test_the_command_refuses_another_folder(command, tmp_path):
    for place, said in ((tmp_path, "no governed project"), (tmp_path / "x", "no such folder")):
        code, _, complained = command("audit", place)
        assert code == 1
        assert said in complained
        assert "governance.start" in complained
        assert "Traceback" not in complained


def test_the_report_says_what_is_not_guarded(project):
    told = dict(zip(_names(), governance.audit(project.folder).answers, strict=True))
    for name in UNGUARDED:
        assert name in told["refusals"].evidence
        room, function = name.split(".")
        assert callable(getattr({"train": train, "models": models, "privacy": privacy}[room],
                                function))


def test_the_report_names_rules_of_the_course_that_are_not_asked(project):
    place = project.folder / "policy.toml"
    text = place.read_text(encoding="utf-8")
    begin = text.index("[rules.redaction]")
    place.write_text(text[:begin] + text[text.index("# Names of steps", begin):], encoding="utf-8")
    told = {name: one.evidence for name, one in zip(
        _names(), governance.audit(project.folder).answers, strict=True)}
    assert "all of the course's but redaction" in told["refusals"]


def test_a_misspelt_part_of_a_policy_is_refused(project):
    place = project.folder / "policy.toml"
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace("[rules.redaction]", "[rule.redaction]"), encoding="utf-8")
    with pytest.raises(PolicyError, match="nothing reads its part 'rule'"):
        governance.audit(project.folder)


def test_croissant_is_valid_and_gives_the_records_back(letters, tmp_path):
    import mlcroissant

    folder = governance.hand_on(letters, tmp_path / "out")
    found = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    rows = [row["default/text"].decode() for row in found.records("default")]
    assert rows == letters["text"][:]
    told = found.metadata.to_json()
    assert told["distribution"][0]["sha256"] == store.sha256_file(folder / "records.jsonl")
    assert found.metadata.data_use_cases == ["research"]
    assert "internal" in str(found.metadata.personal_sensitive_information)
    assert "2099-12-31" in str(found.metadata.data_release_maintenance_plan)


def test_croissant_of_conversations_and_of_no_facts_is_valid(tmp_path):
    import mlcroissant

    rows = tiny.dataset().select(range(3)).map(lambda row: {
        "messages": data.conversation("a", "b"), "n": 1, "x": 0.5, "good": True})
    folder = governance.hand_on(rows, tmp_path / "out")
    found = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    assert [field.name for field in found.metadata.record_sets[0].fields] == [
        "text", "document", "source", "n", "x", "good"]
    assert len(list(found.records("default"))) == 3


def test_the_hub_reads_the_readme(letters, tmp_path):
    folder = governance.hand_on(letters, tmp_path / "out")
    text = (folder / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---")[1])
    assert front["configs"] == [{"config_name": "default", "data_files": "records.jsonl"}]
    assert (front["license"], front["license_name"]) == ("other", "yours")
    for fact in ("data team", "2099-12-31", "internal", data.card(letters).sha256,
                 data.card(letters).sources["letters.jsonl"]):
        assert fact in text
    rows = load_dataset("json", data_files=str(folder / "records.jsonl"), split="train")
    assert rows["text"][:] == letters["text"][:]


def test_known_licences_have_the_hubs_names():
    about = data.Card("x|y", {"s": "0"}, licence=("MIT", "Apache-2.0"), attribution=("a", ""))
    front = yaml.safe_load(governance.hub_card(about).split("---")[1])
    assert front["license"] == ["mit", "apache-2.0"]
    assert "## Governance" not in governance.hub_card(about)
