"""Jobs of one's own and imports: accepted by AWS's models, and sent when meant."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest
from botocore.stub import Stubber

from fmcourse import aws
from fmcourse.errors import AwsError

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest"

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
    ({"AlgorithmSpecification": {"TrainingImage": "foo/bar:1", "TrainingInputMode": "File"}},
     "AlgorithmSpecification.TrainingImage", "page"),
    ({"RoleArn": "arn:aws:iam::1:role/x"}, "RoleArn", "pattern")])
def test_a_fault_of_a_training_job_is_found_where_it_is(project, change, where, rule):
    job = aws.training_job(project, IMAGE, ["doctor"]).with_parameters(**change)
    assert (where, rule) in {(one.where, one.rule) for one in aws.check(job)}


IN_ECR = {
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/fmcourse:latest": "fmcourse",
    "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/fm-course_1": "team/fm-course_1",
    f"111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a@sha256:{'0' * 64}": "a"}


@pytest.mark.parametrize("image", [
    *IN_ECR, "foo/bar:1", "course", "", "11112222333.dkr.ecr.us-east-1.amazonaws.com/fmcourse",
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/", "docker.io/library/python:3",
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/Course", "https://example.com/x",
    "111122223333.dkr.ecr.us-east-1.evil.com/fmcourse"])
def test_an_image_in_ecr_is_told_from_others(project, image):
    found = aws.check(aws.training_job(project, image, ["doctor"]))
    assert [one.where for one in found if one.rule == "page"] == (
        [] if image in IN_ECR else ["AlgorithmSpecification.TrainingImage"])
    if image not in IN_ECR:
        with pytest.raises(AwsError, match="no image in Amazon ECR"):
            aws.job_role(project, image)


def test_the_role_may_fetch_the_image_from_where_it_is(project):
    """The account and region are the image's own; another team may keep it."""
    image = "444455556666.dkr.ecr.us-west-2.amazonaws.com/team/fmcourse@sha256:" + "0" * 64
    rights = aws.job_role(project, image)[1].parameters["PolicyDocument"]
    assert '"arn:aws:ecr:us-west-2:444455556666:repository/team/fmcourse"' in rights


def test_an_image_elsewhere_is_fine_where_the_job_says_how_to_sign_in(project):
    job = aws.training_job(project, "registry.example.com/course:1", ["doctor"])
    code = {**job.parameters["AlgorithmSpecification"],
            "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Vpc"}}
    assert aws.check(job.with_parameters(AlgorithmSpecification=code)) == []


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
