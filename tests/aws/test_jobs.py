"""Jobs of one's own and imports: accepted by AWS's models, planned from a run, sent when meant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest
import tiny
from botocore.stub import Stubber

from fmcourse import aws, data, models, ship
from fmcourse.errors import AwsError, CourseError

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"
RECIPE = {"epochs": 3.0, "learning_rate": 2e-3, "seed": 1, "max_length": None,
          "adapter": {"method": "lora", "rank": 8}}


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    lines = [json.dumps({"prompt": f"Say {i}.", "completion": f"{i}!"}) for i in range(12)]
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    data.convert_file(folder / "pairs.jsonl", data.record_format("bedrock-conversation"),
                      folder / "train.jsonl")
    return folder / "train.jsonl"


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    return ship.export(models.with_chat(tiny.model()), tmp_path_factory.mktemp("out") / "model")


@pytest.mark.parametrize("which", ["project", "bare"])
def test_jobs_are_accepted(which, request):
    names = request.getfixturevalue(which)
    home = replace(names, region="us-east-1")
    made = [aws.import_job(home), aws.training_job(names, IMAGE, ["train", "instruct"]),
            *aws.job_role(names, IMAGE)]
    assert [str(one) for job in made for one in aws.check(job)] == []


def test_a_training_job_sees_no_network_and_ends(project):
    job = aws.training_job(project, IMAGE, ["doctor"], hours=0.5).parameters
    assert job["EnableNetworkIsolation"] is True
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert job["OutputDataConfig"]["KmsKeyId"] == project.key_arn


def test_an_import_goes_where_imports_are_taken(bare):
    with pytest.raises(AwsError, match="Nothing is imported in eu-west-1"):
        aws.import_job(bare)


@pytest.mark.parametrize(("change", "where", "rule"), [
    ({"ResourceConfig": {"InstanceType": "ml.g5.xlrge", "InstanceCount": 1}},
     "ResourceConfig.InstanceType", "enum"),
    ({"TrainingJobName": "a_job"}, "TrainingJobName", "pattern"),
    ({"OutputDataConfig": {}}, "OutputDataConfig.S3OutputPath", "required"),
    ({"RoleArn": "arn:aws:iam::1:role/x"}, "RoleArn", "pattern")])
def test_a_fault_of_a_training_job_is_found_where_it_is(project, change, where, rule):
    job = aws.training_job(project, IMAGE, ["doctor"]).with_parameters(**change)
    assert (where, rule) in {(one.where, one.rule) for one in aws.check(job)}


def test_a_plan_does_a_run_three_ways(project, records, exported, tmp_path):
    made = aws.plan(project, RECIPE, records, "nova-micro", IMAGE, exported)
    managed, own = (made.requests[name].parameters for name in (
        "3-bedrock-customize.json", "4-sagemaker-train.json"))
    assert managed["trainingDataConfig"]["s3Uri"].endswith("/training/train.jsonl")
    assert managed["hyperParameters"] == {"epochCount": "3"}
    said = own["AlgorithmSpecification"]["ContainerArguments"]
    assert said[3] == "/opt/ml/input/data/training/train.jsonl"
    assert said[-8:] == ["--learning-rate", "0.002", "--seed", "1", "--method", "lora", "--rank",
                         "8"]
    for path in made.write(tmp_path):
        assert aws.check_file(path) == []
    assert len(made.requests) == 5
    without = aws.plan(project, RECIPE, records, "nova-micro", IMAGE)
    assert "5-bedrock-import.json" not in without.requests


def test_the_command_of_a_plan_is_one_that_fmcourse_has(records, command, monkeypatch):
    """What a container is told to run is taken by the command line, up to the file that is not."""
    said = aws.plan(aws.Project("111122223333", "my-team-data"), RECIPE, records, "nova-micro",
                    IMAGE).requests["4-sagemaker-train.json"]
    words = said.parameters["AlgorithmSpecification"]["ContainerArguments"]
    code, _, complained = command(*words, "--base", "base")
    assert code == 1
    assert words[3] in complained


@pytest.mark.parametrize(("broken", "says"), [
    ("records", "line 3"), ("folder", "TokenizersBackend"), ("image", "TrainingImage")])
def test_what_aws_would_refuse_is_not_planned(broken, says, project, records, exported, tmp_path):
    used = {"records": records, "folder": exported, "image": IMAGE}
    if broken == "records":
        lines = records.read_text().splitlines()
        used["records"] = tmp_path / "train.jsonl"
        used["records"].write_text("\n".join([*lines[:2], "{}", *lines[3:]]))
    elif broken == "folder":
        used["folder"] = models.BASE
    else:
        used["image"] = "x" * 300
    with pytest.raises(CourseError, match=says):
        aws.plan(project, RECIPE, used["records"], "nova-micro", used["image"], used["folder"])


@pytest.mark.parametrize(("make", "call", "answer"), [
    (aws.import_job, "create_model_import_job", {
        "jobArn": "arn:aws:bedrock:us-east-1:111122223333:model-import-job/abcdefghijkl"}),
    (lambda names: aws.training_job(names, IMAGE, ["doctor"]), "create_training_job", {
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:training-job/course"})])
def test_what_is_meant_is_sent(make, call, answer, project):
    job = make(project)
    client = botocore.session.Session().create_client(
        job.service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response(call, answer, job.parameters)
        assert aws.submit(job, True, client, say=str) == answer
        stub.assert_no_pending_responses()
    assert aws.submit(job, say=str) is None
