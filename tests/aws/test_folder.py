"""Projects and documents as files."""

from __future__ import annotations

import json

import pytest

from fmcourse import aws
from fmcourse.errors import AwsError

TEXT = """account = "111122223333"
bucket = "my-team-data"
[network]
vpc = "vpc-0a1b2c3d"
endpoint = "vpce-0a1b2c3d"
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
"""


def test_a_project_is_read_from_its_file(tmp_path):
    path = tmp_path / "project.toml"
    path.write_text(TEXT)
    project = aws.read_project(path)
    assert project.network.subnets == ("subnet-0a1b2c3d",)
    assert project == aws.Project("111122223333", "my-team-data", network=project.network)


@pytest.mark.parametrize(("text", "says"), [
    ("account = 1", "project's 'bucket' is missing"), ("x = [", "cannot be read"),
    (TEXT.replace("bucket", "bukket"), "Did you mean bucket"),
    (TEXT.replace('vpc = "vpc-0a1b2c3d"', ""), "vpc"),
    (TEXT.replace("vpc =", "vcp ="), "Did you mean vpc"),
    ('account = "111122223333"\nbucket = "my-team-data"\nnetwork = 3', "network")])
def test_a_file_that_is_no_project_is_refused(tmp_path, text, says):
    path = tmp_path / "project.toml"
    path.write_text(text)
    with pytest.raises(AwsError, match=f"(?s){says}"):
        aws.read_project(path)


def test_documents_are_written_and_checked(tmp_path, project):
    written = aws.write_documents(project, tmp_path)
    assert len(written) == 20
    assert [one for path in written for one in aws.check_file(path)] == []
    path = tmp_path / "bucket-policy.json"
    broken = json.loads(path.read_text())
    del broken["Statement"][0]["Principal"]
    path.write_text(json.dumps(broken))
    assert [one.rule for one in aws.check_file(path)] == ["grammar"]


def test_a_request_comes_back_as_it_was(tmp_path, project):
    job = aws.customization_job(project, "nova-micro")
    assert aws.read_request(aws.write_request(job, tmp_path / "job.json")) == job


@pytest.mark.parametrize("text", ['{"operation": 3}', "[]", '{"service": "s3"}', "{"])
def test_a_file_that_is_no_request_is_refused(tmp_path, text):
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(AwsError):
        aws.read_request(path)
