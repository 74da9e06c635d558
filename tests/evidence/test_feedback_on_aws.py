"""H6's faults are faults, one at a time; no check that says always the same can pass it."""

from __future__ import annotations

import pytest

from fmcourse import aws, data
from fmcourse.aws import session
from fmcourse.data.formats import PREFERENCE, REINFORCEMENT
from fmcourse.errors import DataError
from fmcourse.evidence.experiments import feedback_on_aws
from fmcourse.evidence.experiments.feedback_faults import (
    FEWEST,
    RANGES,
    WHOLE_FILE,
    File,
    file_faults,
    job_faults,
)

HERE = feedback_on_aws.__globals__
COMPARED = [{"prompt": f"Is {i} even?", "chosen": "Yes.", "rejected": "Why do you ask me?"}
            for i in range(110)]
ASKED = [{"messages": [{"role": "user", "content": f"What is {i} and {i}?"}],
          "reference_answer": f"{2 * i}"} for i in range(110)]


@pytest.fixture
def files() -> list[File]:
    """Written here, so that no data is needed."""
    return [File("comparisons", PREFERENCE, COMPARED),
            File("comparisons-in-messages", PREFERENCE, list(map(HERE["in_messages"], COMPARED))),
            File("tasks", REINFORCEMENT, ASKED, "nova-2-lite-rft"),
            File("commands", REINFORCEMENT, ASKED, "qwen3-32b-rft")]


@pytest.fixture
def verdicts(files, verdicts_by):
    return verdicts_by(feedback_on_aws, "H6", files)


def test_with_the_course_s_checks_it_shows(verdicts):
    assert verdicts() == ["shown", "shown", "shown"]


@pytest.mark.parametrize(("says", "shown"), [
    (lambda thing, folder: [], []),  # whatever is asked
    (lambda thing, folder: [(WHOLE_FILE, "No.")], [2])])
def test_checks_that_say_always_the_same_do_not_show_it(verdicts, says, shown):
    assert [i for i, one in enumerate(verdicts(says)) if one == "shown"] == shown


def test_checks_that_name_more_than_the_place_do_not_show_it(verdicts):
    honest = HERE["said"]

    def and_more(thing, folder):
        found = honest(thing, folder)
        return found and [*found, (WHOLE_FILE, "Look at everything.")]

    assert verdicts(and_more) == ["shown", "not shown", "shown"]


def test_one_fault_that_is_missed_is_enough(verdicts):
    honest = HERE["said"]

    def blind(thing, folder):
        return [one for one in honest(thing, folder) if one[0] != "region"]

    assert verdicts(blind)[0] == "not shown"


def test_a_file_has_one_thing_broken(files):
    made = {file.name: file for file in files}
    for fault in file_faults(files, seed=1):
        whole, broken = made[fault.thing.name], fault.thing
        other = sum(one != two for one, two in zip(whole.records, broken.records, strict=False))
        changes = [other == 1, len(broken.records) == FEWEST - 1, broken.model != whole.model]
        assert sum(changes) == 1, fault.what
        assert other <= 1


def test_a_job_has_one_thing_broken():
    job = HERE["jobs"]()[0]
    for fault in job_faults(job):
        before, after = (dict(_leaves({"region": one.region, **one.parameters}))
                         for one in (job, fault.thing))
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        assert changed, fault.what
        assert all(key.startswith(fault.place) for key in changed), fault.what


def _leaves(value, path=""):
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, one in value.items()
            for leaf in _leaves(one, f"{path}.{key}".lstrip("."))]


def test_a_job_s_ranges_are_those_of_the_api_model():
    members = session.service("bedrock").shape_for("RFTHyperParameters").members
    assert {key: (members[key].metadata["min"], members[key].metadata["max"])
            for key in RANGES} == RANGES


def test_only_models_that_take_reinforcement_are_asked():
    names = [base.id for base in aws.bases().values() if base.reinforced]
    asked = [job.parameters["baseModelIdentifier"] for job in HERE["jobs"]()]
    assert asked == [name for name in names for _ in range(3)]


@pytest.mark.data
def test_files_say_what_went_into_them(tmp_path):
    texts, messages, tasks, commands = HERE["exported"](0, 24, tmp_path)
    assert texts.records == HERE["comparisons"](0, 24)
    assert [record["rejected"][-1]["content"] for record in messages.records] == [
        record["rejected"] for record in texts.records]
    pairs = {row["prompt"]: row["completion"] for row in data.commands(0)["train"]}
    assert all(pairs[record["messages"][-1]["content"]] == record["reference_answer"]
               for record in commands.records)
    assert len(tasks.records) == len(commands.records) == 24
    for file in (texts, messages, tasks, commands):
        assert data.check_file(tmp_path / f"{file.name}.jsonl", file.form)[0].dropped == 0


@pytest.mark.data
def test_what_cannot_be_written_is_not_exported(tmp_path, monkeypatch):
    monkeypatch.setitem(HERE, "comparisons", lambda *_: [{"prompt": "a", "chosen": "b",
                                                          "rejected": "b"}])
    with pytest.raises(DataError, match="nothing to prefer"):
        HERE["exported"](0, 24, tmp_path)
