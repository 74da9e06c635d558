"""Requests: what is generated is accepted, a fault is found where it is, nothing is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import aws
from fmcourse.aws.shapes import check_parameters
from fmcourse.data import limits
from fmcourse.errors import AwsError, DataError

GRADER = "arn:aws:lambda:us-east-1:111122223333:function:grade"


@pytest.fixture
def job(project) -> aws.Request:
    return aws.customization_job(project, "nova-lite", settings={"epochCount": 2},
                                 validation="validation.jsonl")


def rules(request: aws.Request) -> set[tuple[str, str]]:
    return {(one.where, one.rule) for one in aws.check(request)}


@pytest.mark.parametrize("which", ["project", "bare"])
def test_setting_up_is_accepted(which, request):
    made = aws.setting_up(request.getfixturevalue(which))
    assert [one for step in made for one in aws.check(step)] == []


@pytest.mark.parametrize("model", aws.bases())
def test_every_job_is_accepted(model, project):
    base = aws.bases()[model]
    home = aws.Project(project.account, project.bucket, base.regions[0])
    defaults = {name: limit["default"] for name, limit in aws.settings(model).items()}
    jobs = [aws.customization_job(home, model, settings=defaults)]
    jobs += [aws.customization_job(home, model, "distillation", teacher=one)
             for one in base.teachers]
    if base.reinforced:
        jobs.append(aws.customization_job(home, model, "reinforcement", grader=GRADER,
                                          settings={"epochCount": 2, "reasoningEffort": "low"}))
    assert [one for job in jobs for one in aws.check(job)] == []


def test_models_have_the_names_that_files_are_checked_for():
    for name in aws.bases():
        if name != "nova-2-lite":  # whose files are checked for reinforcement only
            assert limits(name)
    with pytest.raises(DataError):
        limits("nova-3")


@pytest.mark.parametrize(("changed", "found"), [
    ({"jobName": ""}, {"jobName": "least"}), ({"jobName": "a" * 64}, {"jobName": "most"}),
    ({"jobName": "-" * 50 + "!"}, {"jobName": "pattern"}),  # exponential for a plain matcher
    ({"roleArn": None}, {"roleArn": "required"}), ({"roleArn": 1}, {"roleArn": "type"}),
    ({"rolArn": "x"}, {"rolArn": "unknown"}), ({"roleArn": "arm:x"}, {"roleArn": "pattern"}),
    ({"customizationType": "FINETUNING"}, {"customizationType": "enum"}),
    ({"customizationType": "DISTILLATION"}, {"customizationConfig": "page"}),
    ({"trainingDataConfig": {}}, {"trainingDataConfig": "page"}),
    ({"trainingDataConfig": {"s3Uri": "s3:/a"}}, {"trainingDataConfig.s3Uri": "pattern"}),
    ({"outputDataConfig": {}}, {"outputDataConfig.s3Uri": "required"}),
    ({"vpcConfig": {"subnetIds": ["a"], "securityGroupIds": ["a"] * 6}},
     {"vpcConfig.securityGroupIds": "most"}),
    ({"customizationConfig": {}}, {"customizationConfig": "union"}),
    ({"customizationConfig": {"rftConfig": {"hyperParameters": {"batchSize": 513}}}},
     {"customizationConfig.rftConfig.hyperParameters.batchSize": "most"}),
    ({"hyperParameters": {"epochCount": "9"}}, {"hyperParameters.epochCount": "setting"}),
    ({"hyperParameters": {"epochs": "2"}}, {"hyperParameters.epochs": "setting"}),
    ({"jobTags": [{"key": "a!", "value": "b"}]}, {"jobTags[0].key": "pattern"})])
def test_a_fault_is_found_where_it_is(job, changed, found):
    assert rules(job) == set()
    assert rules(job.with_parameters(**changed)) >= found.items()


@pytest.mark.parametrize(("changed", "found"), [
    ({"baseModelIdentifier": "amazon.nova-lite-v1:0:300k"}, "baseModelIdentifier"),
    ({"customizationConfig": {"rftConfig": {}}}, "customizationConfig.rftConfig"),
    ({"customizationConfig": {"rftConfig": {"hyperParameters": {"batchSize": 64}}}},
     "customizationConfig.rftConfig"),
    ({"customizationConfig": None}, "customizationConfig")])
def test_reinforcement_needs_a_grader_and_a_model_that_takes_it(project, changed, found):
    job = aws.customization_job(project, "nova-2-lite", "reinforcement", grader=GRADER)
    assert rules(job) == set()
    assert rules(job.with_parameters(**changed)) == {(found, "page")}


def test_a_job_goes_where_its_model_is_customized(job):
    assert rules(replace(job, region="us-west-2")) == {("region", "page")}
    unknown = job.with_parameters(baseModelIdentifier="somebody.else-v1:0")
    assert rules(replace(unknown, region="us-west-2")) == set()


def test_policies_inside_a_request_are_linted(project):
    step = next(one for one in aws.setting_up(project) if one.operation == "PutBucketPolicy")
    broken = json.loads(step.parameters["Policy"])
    del broken["Statement"][0]["Effect"]
    assert rules(step.with_parameters(Policy=json.dumps(broken))) == {
        ("Policy: Statement 1.Effect", "grammar")}


@pytest.mark.parametrize(("changed", "says"), [
    ({"model": "nova-light"}, "Did you mean nova-lite"), ({"model": "llama-3.1-8b"}, "us-west-2"),
    ({"method": "tuning"}, "no method"), ({"settings": {"epochCount": 6}}, "from 1 to 5"),
    ({"settings": {"epochCount": 1.5}}, "whole number"),
    ({"settings": {"epochs": 1}}, "epochCount"),
    ({"settings": {"learningRate": "fast"}}, "a number"),
    ({"method": "distillation"}, "needs a teacher"), ({"teacher": "nova-pro"}, "nothing else"),
    ({"method": "distillation", "teacher": "llama-3.1-70b"}, "cannot learn"),
    ({"method": "reinforcement", "grader": GRADER}, "nova-2-lite"), ({"grader": GRADER}, "grader")])
def test_what_aws_would_not_take_is_refused(project, changed, says):
    with pytest.raises(AwsError, match=says):
        aws.customization_job(project, **{"model": "nova-lite", **changed})


def test_a_service_or_operation_that_is_none_is_named(job):
    with pytest.raises(AwsError, match="Did you mean bedrock"):
        aws.check(aws.Request("bedrok", job.operation, job.region, {}))
    with pytest.raises(AwsError, match="Did you mean CreateModelCustomizationJob"):
        aws.check(aws.Request("bedrock", "CreateCustomizationJob", job.region, {}))


def test_a_job_without_a_network_has_none_to_configure(bare):
    with pytest.raises(AwsError, match="no network"):
        aws.vpc_config(bare)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["s3Uri", "validators", "rftConfig", "subnetIds", "x"]),
                        inner, max_size=3), max_leaves=8)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from([
    "jobName", "roleArn", "hyperParameters", "trainingDataConfig", "validationDataConfig",
    "vpcConfig", "customizationConfig", "customizationType", "baseModelIdentifier", "x"]), JSON))
def test_no_parameters_make_the_check_crash(parameters):
    job = aws.Request("bedrock", "CreateModelCustomizationJob", "us-east-1", parameters)
    found = aws.check(job)
    assert found
    assert all(one.fix for one in found)


def test_nothing_is_sent_unless_it_is_meant(job, monkeypatch):
    monkeypatch.setattr("boto3.Session", lambda: pytest.fail("AWS was looked for"))
    said = []
    assert aws.submit(job, say=lambda text: said.append(str(text))) is None
    assert '"jobName": "course-fine-tuning"' in said[0]
    assert said[1].startswith("Nothing was sent")


def test_a_request_that_is_meant_is_sent(job):
    client = botocore.session.Session().create_client(
        "bedrock", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    arn = "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/a"
    with Stubber(client) as stub:
        stub.add_response("create_model_customization_job", {"jobArn": arn}, job.parameters)
        assert aws.submit(job, True, client, say=str) == {"jobArn": arn}
        stub.add_client_error("create_model_customization_job", "AccessDeniedException")
        with pytest.raises(AwsError, match="AccessDenied"):
            aws.submit(job, True, client, say=str)


def test_without_credentials_or_with_a_fault_nothing_is_sent(job, monkeypatch):
    nobody = SimpleNamespace(get_credentials=lambda: None)
    monkeypatch.setattr("boto3.Session", lambda: nobody)
    with pytest.raises(AwsError, match="no AWS credentials"):
        aws.submit(job, True, say=str)
    with pytest.raises(AwsError, match="would not take"):
        aws.submit(job.with_parameters(roleArn=None), True, say=str)


def test_what_botocore_checks_is_said_in_one_sentence():
    found = check_parameters("s3", "PutBucketPolicy", {"Bucket": "b", "Policy": 3})
    assert [str(one) for one in found] == ["Policy: 3 is of another type. Give str. [type]"]
