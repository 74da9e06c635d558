"""Names that AWS would refuse, or that would widen a policy, are no project."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import aws
from fmcourse.errors import AwsError

GOOD = {"account": "111122223333", "bucket": "my-team-data"}


@pytest.mark.parametrize(("changed", "says"), [
    ({"account": "1234"}, "12 digits"), ({"account": 111122223333}, "12 digits"),
    ({"bucket": "ab"}, "3 to 63"), ({"bucket": "My-Data"}, "lower-case"),
    ({"bucket": "-data"}, "begins and ends"), ({"bucket": "a..b"}, "two dots"),
    ({"bucket": "192.168.0.1"}, "IP address"), ({"bucket": "xn--data"}, "xn--"),
    ({"bucket": "data-s3alias"}, "-s3alias"), ({"bucket": None}, "3 to 63"),
    ({"region": "us-east1"}, "Did you mean us-east-1"), ({"training": "data/*"}, "no wildcard"),
    ({"training": "/data"}, "no slash"), ({"training": "${aws:username}"}, "no wildcard"),
    ({"output": "training/models"}, "overlap"), ({"output": "training"}, "overlap"),
    ({"role": "my role"}, "role"), ({"role": "Auditor"}, "same name"),
    ({"key": "alias/mine"}, "not an alias"), ({"name": "a/b"}, "name")])
def test_a_bad_name_is_refused_with_its_rule(changed, says):
    with pytest.raises(AwsError, match=says):
        aws.Project(**{**GOOD, **changed})


@pytest.mark.parametrize(("changed", "says"), [
    ({"vpc": "my-vpc"}, "vpc"), ({"endpoint": "vpc-0a1b2c3d"}, "endpoint"),
    ({"subnets": ()}, "1 to 16"), ({"subnets": "subnet-0a1b2c3d"}, "list"),
    ({"security_groups": ("sg-0a1b2c3d",) * 6}, "1 to 5"), ({"subnets": ("subnet-x",)}, "subnets")])
def test_a_network_is_ids(changed, says):
    good = {"vpc": "vpc-0a1b2c3d", "endpoint": "vpce-0a1b2c3d", "subnets": ["subnet-0a1b2c3d"],
            "security_groups": ["sg-0a1b2c3d"]}
    assert aws.Network(**good).subnets == ("subnet-0a1b2c3d",)
    with pytest.raises(AwsError, match=says):
        aws.Network(**{**good, **changed})


def test_names_are_made_for_partition_and_region():
    project = aws.Project(**GOOD, region="cn-north-1", key="mrk-" + 32 * "a")
    assert project.bucket_arn == "arn:aws-cn:s3:::my-team-data"
    assert project.key_arn == f"arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-{32 * 'a'}"
    assert aws.Project(**GOOD).key_arn is None


@given(st.dictionaries(st.sampled_from(["account", "bucket", "training", "role", "key", "name"]),
                       st.text() | st.none() | st.integers()))
def test_whatever_is_given_is_taken_or_refused_with_a_remedy(changed):
    project = fix = None
    try:
        project = aws.Project(**{**GOOD, **changed})
    except AwsError as error:
        fix = error.fix
    assert fix or "*" not in project.objects(project.training)[0][:-1]
