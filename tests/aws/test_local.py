"""The local store: what it enforces, what it does not, and that it leaves this machine alone."""

from __future__ import annotations

import json
import logging

import pytest
from botocore.exceptions import ClientError

from fmcourse import aws
from fmcourse.aws.local import _ADMIN, ALLOWED, DENIED
from fmcourse.errors import AwsError

DATA, OBJECT = "arn:aws:s3:::my-team-data", "training/train.jsonl"


@pytest.fixture(autouse=True)
def one_object(running):
    running.put(OBJECT, b"{}")


def may(running, *parts) -> None:
    running.set_policy(aws.STRANGER, aws.policy(*parts))


def reads(running) -> str:
    return running.attempt(aws.STRANGER, "get_object", Key=OBJECT)


def test_a_denied_listing_is_fixed_by_the_right_on_the_bucket(running, project):
    reader = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{DATA}/training/*"}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"{DATA}/*"}
    may(running, reader, listing)  # the usual mistake: the bucket's objects are not the bucket
    s3 = running.client("s3", aws.STRANGER)
    assert s3.get_object(Bucket=project.bucket, Key=OBJECT)["Body"].read() == b"{}"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=project.bucket)
    may(running, reader, {**listing, "Resource": DATA})
    assert s3.list_objects_v2(Bucket=project.bucket)["KeyCount"] >= 1


def test_settings_are_read_back(running):
    found = running.settings()
    assert found["encryption"] == {"SSEAlgorithm": "aws:kms",
                                   "KMSMasterKeyID": running.project.key_arn}
    assert set(found["public access block"].values()) == {True}
    put = running.put("output/x", b"123")
    assert put == {"ContentLength": 3, "ServerSideEncryption": "aws:kms",
                   "SSEKMSKeyId": running.project.key_arn}


def test_who_has_no_credentials_or_role_gets_nothing(running):
    assert running.attempt(None, "get_object", Key=OBJECT) == DENIED
    assert running.attempt(None, "get_object", Key="training/nothing") == DENIED
    with pytest.raises(AwsError, match="Did you mean Auditor"):
        running.client("s3", "Auditr")


def test_the_store_enforces_actions_resources_and_deny(running):
    allow = {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"{DATA}/*"}
    may(running, allow)
    assert reads(running) == ALLOWED
    assert running.attempt(aws.STRANGER, "get_object", Key="training/nothing") == ALLOWED
    may(running, allow, {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"})
    assert reads(running) == DENIED
    may(running, {**allow, "Resource": f"{DATA}/output/*"})
    assert reads(running) == DENIED


@pytest.mark.parametrize(("parts", "store", "evaluated"), [
    ([{"Effect": "Allow", "Action": "s3:*", "Resource": "*",
       "Condition": {"StringEquals": {"aws:PrincipalTag/team": "data"}}}], ALLOWED, DENIED),
    ([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
      {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
       "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], DENIED, ALLOWED),
    ([{"Effect": "Allow", "Action": "s3:*", "NotResource": f"{DATA}/*"}], ALLOWED, DENIED),
    ([{"Effect": "Allow", "Action": "s3:GETOBJECT", "Resource": "*"}], DENIED, ALLOWED),
    ([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{DATA}/training/?rain*"}], DENIED,
     ALLOWED)])
def test_what_the_store_does_not_enforce(running, parts, store, evaluated):
    """If one of these fails, moto has learnt something: update the docstring of `local`."""
    may(running, *parts)
    assert reads(running) == store
    access = aws.Access(running.project.role_arn(aws.STRANGER), "s3:GetObject", f"{DATA}/{OBJECT}",
                        {"aws:SecureTransport": True})
    assert aws.decide(access, [aws.policy(*parts)]).allowed is (evaluated == ALLOWED)


def test_the_policy_of_a_bucket_would_shut_everybody_out(running, project):
    """Its Deny with a condition counts as if that held; to let in, it is not asked at all."""
    may(running, {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"})
    boss = running.client("s3", _ADMIN)
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"{DATA}/*"}
    boss.put_bucket_policy(Bucket=project.bucket, Policy=json.dumps(aws.policy(everyone)))
    assert reads(running) == DENIED
    boss.put_bucket_policy(Bucket=project.bucket,
                           Policy=json.dumps(aws.bucket_policy(running.project)))
    assert running.attempt(project.role, "get_object", Key=OBJECT) == DENIED
    boss.delete_bucket_policy(Bucket=project.bucket)
    assert running.attempt(project.role, "get_object", Key=OBJECT) == ALLOWED


def test_one_store_at_a_time(running, project):
    with pytest.raises(AwsError, match="already"), aws.local(project):
        pass


def test_logging_is_quiet(running):
    assert logging.getLogger("werkzeug").level == logging.CRITICAL
