"""K8's faults are faults, one at a time; no check that says always the same can pass it."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from fmcourse import aws, data, train
from fmcourse.evidence import get
from fmcourse.evidence.experiments import managed
from fmcourse.evidence.experiments.feedback_faults import WHOLE_FILE, File
from fmcourse.evidence.experiments.managed_faults import file_faults, job_faults
from fmcourse.models import Adapter

HERE = managed.__globals__
PAIRS = [{"prompt": f"List bucket {i}.", "completion": f"aws s3 ls s3://b{i}"} for i in range(110)]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[File]:
    """Written here, so that no data is needed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "commands", lambda seed: {"train": PAIRS})
        patch.setattr(data, "sample", lambda rows, number, seed: rows[:number])
        return HERE["exported"](0, 110, tmp_path_factory.mktemp("files"))


@pytest.fixture
def verdicts(files, verdicts_by):
    return verdicts_by(managed, "K8", files)


def test_with_the_course_s_checks_it_shows(verdicts):
    assert verdicts() == ["shown"] * 4


@pytest.mark.parametrize(("says", "shown"), [
    (lambda thing, folder: [], [3]),  # whatever is asked
    (lambda thing, folder: [(WHOLE_FILE, "No.")], [2, 3])])
def test_checks_that_say_always_the_same_do_not_show_it(verdicts, says, shown):
    assert [i for i, one in enumerate(verdicts(says)) if one == "shown"] == shown


def test_one_fault_that_is_missed_is_enough(verdicts):
    honest = HERE["said"]

    def blind(thing, folder):
        return [one for one in honest(thing, folder) if one[0] != "ResourceConfig.InstanceType"]

    assert verdicts(blind)[:2] == ["not shown", "not shown"]


def test_a_file_has_one_thing_broken(files):
    made = {file.name: file for file in files}
    for fault in file_faults(files, seed=1):
        whole, broken = made[fault.thing.name], fault.thing
        other = sum(one != two for one, two in zip(whole.records, broken.records, strict=True))
        assert [other == 1, broken.model != whole.model].count(True) == 1, fault.what


def test_a_job_has_one_thing_broken():
    for job in HERE["first_of_each"](HERE["jobs"]()):
        for fault in job_faults(job):
            before, after = (json.loads(json.dumps({"region": one.region, **one.parameters}))
                             for one in (job, fault.thing))
            changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
            assert len(changed) == 1, fault.what
            assert fault.place.split(".")[0].split("[")[0] in changed, fault.what


def test_every_operation_and_every_model_has_its_jobs():
    made = HERE["jobs"]()
    assert {job.operation for job in made} == {
        "CreateModelCustomizationJob", "CreateTrainingJob", "CreateModelImportJob"}
    asked = {job.parameters.get("baseModelIdentifier") for job in made} - {None}
    assert asked == {base.id for base in aws.bases().values()}


def test_a_setting_counts_where_its_change_reaches_the_request(monkeypatch):
    """All settings are tried, and a job that passes none of them on has none."""
    every = {one.name for one in fields(train.InstructRecipe)} - {"adapter", "tokens"}
    every |= {f"adapter.{one.name}" for one in fields(Adapter)}
    assert set(HERE["OTHERWISE"]) == every
    assert all(HERE["otherwise"](name) != HERE["recipe"]() for name in every)
    assert HERE["room"]() == {HERE["MANAGED"]: {HERE["ROOM"]: 2}, HERE["OWN"]: {HERE["ROOM"]: 8},
                              HERE["RECIPE"]: {HERE["ROOM"]: 20}}
    monkeypatch.setitem(HERE, "arguments", lambda *_: ["train", "instruct"])
    monkeypatch.setitem(HERE, "managed_settings", lambda *_: {"epochCount": 2})
    assert [*HERE["room"]().values()][:2] == [{HERE["ROOM"]: 0}] * 2


def test_the_statement_says_what_is_counted():
    said = get("K8").statement
    assert "Of the twenty settings" in said
    assert "takes eight through our command" in said
    assert "a managed job takes two" in said
