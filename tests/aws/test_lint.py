"""The linter: what is generated is clean, each fault is found, and parliament agrees."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import aws
from fmcourse.aws import permissions
from fmcourse.errors import AwsError

GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
BUCKET = "arn:aws:s3:::data"


def rules(part, kind="identity") -> set[str]:
    return {one.rule for one in aws.lint(aws.policy(part), kind)}


@pytest.mark.parametrize("which", ["project", "bare"])
def test_what_is_generated_is_clean(which, request):
    project = request.getfixturevalue(which)
    for name, policy in aws.documents(project).items():
        kinds = [kind for kind in ("trust", "bucket", "key", "endpoint") if f"{kind}-" in name]
        assert aws.lint(policy, kinds[0] if kinds else "identity") == [], name


@pytest.mark.parametrize(("changed", "rule"), [
    ({"Effect": "Alow"}, "grammar"), ({"Efect": "Allow"}, "grammar"), ({"Action": []}, "grammar"),
    ({"Action": 3}, "grammar"), ({"NotAction": "s3:PutObject"}, "grammar"),
    ({"Principal": "*"}, "grammar"), ({"Condition": "x"}, "grammar"),
    ({"Condition": {"Bool": "x"}}, "grammar"), ({"Sid": "a-b"}, "grammar"),
    ({"Action": "s3:Get0bject"}, "action"), ({"Action": "GetObject"}, "action"),
    ({"Action": "s3:GetPublicAccessBlock"}, "action"), ({"Action": "s3:Gt*"}, "action"),
    ({"Action": "kms:ReEncrypt", "Resource": "arn:aws:kms:us-east-1:111122223333:key/a"}, "action"),
    ({"Resource": "data/*"}, "arn"), ({"Resource": BUCKET}, "resource"),
    ({"Action": "s3:ListBucket"}, "resource"),
    ({"Condition": {"StringEqals": {"s3:prefix": "a"}}}, "operator"),
    ({"Condition": {"StringEquals": {"aws:SourceVpcee": "a"}}}, "key"),
    ({"Condition": {"StringEquals": {"kms:ViaService": "a"}}}, "key"),
    ({"Condition": {"StringEquals": {"prefix": "a"}}}, "key"), ({"Action": "*"}, "wide"),
    ({"Action": "s3:*"}, "wide"), ({"Resource": "*"}, "wide")])
def test_a_fault_is_found(changed, rule):
    assert rules(GOOD) == set()
    assert rule in rules({**GOOD, **changed})


@pytest.mark.parametrize(("part", "kind", "rule"), [
    ({**GOOD, "Principal": "*"}, "bucket", "public"),
    ({**GOOD, "Principal": {"AWS": "*"}}, "bucket", "public"),
    ({**GOOD, "Principal": {"AWS": "role/x"}}, "bucket", "arn"),
    ({**GOOD, "Principal": {"Servce": "x"}}, "bucket", "grammar"),
    ({**GOOD, "Principal": "me"}, "bucket", "grammar"), (GOOD, "bucket", "grammar"),
    ({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "bedrock"}}, "trust",
     "principal"),
    ({"Effect": "Allow", "Action": "sts:AssumeRole",
      "Principal": {"Service": "bedrock.amazonaws.com"}}, "trust", "deputy"),
    ({"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::data/*"}, "bucket", "wide")])
def test_a_fault_in_the_policy_of_a_resource_is_found(part, kind, rule):
    assert rule in rules(part, kind)


def test_documents_that_are_none_are_findings():
    assert [one.rule for one in aws.lint("{")] == ["json"]
    assert [one.rule for one in aws.lint("[]")] == ["grammar"]
    assert {one.where for one in aws.lint({})} == {"Version", "Statement"}
    twice = aws.policy({**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"})
    assert "Several are called A" in str(aws.lint(twice)[0])
    with pytest.raises(AwsError, match="Did you mean bucket"):
        aws.lint({}, "buckets")


def test_findings_are_rows():
    table = aws.rows(aws.lint(aws.policy({**GOOD, "Action": "s3:GetObjct"})))
    assert table.loc[0, "rule"] == "action"
    assert table.loc[0, "fix"] == "Did you mean GetObject?"
    assert list(aws.rows([]).columns) == ["where", "rule", "what", "fix"]


TEXTS = st.text(max_size=5) | st.sampled_from(["*", "s3:GetObject", "arn:aws:s3:::a", "Allow"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Principal", "AWS",
                         "Service", "Condition", "Bool", "Sid", "x"]), inner, max_size=5),
    max_leaves=12)


@settings(deadline=None)
@given(JSON, st.sampled_from(["identity", "trust", "bucket", "key", "endpoint"]))
def test_no_json_makes_the_linter_crash(document, kind):
    for one in (document, {"Version": "2012-10-17", "Statement": document}):
        found = aws.lint(one, kind) if not isinstance(one, str) else aws.lint(json.dumps(one), kind)
        assert all(finding.fix for finding in found)


@pytest.fixture(scope="module")
def parliament():
    """The linter that no longer imports by itself: it asks pkg_resources for two paths."""
    try:
        import parliament
    except ModuleNotFoundError:
        found = next((Path(one) / "parliament" for one in sys.path
                      if (Path(one) / "parliament" / "config.yaml").exists()), None)
        if found is None:
            pytest.skip("parliament is not installed")
        instead = ModuleType("pkg_resources")
        instead.resource_filename = lambda name, file: str(found / file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "pkg_resources", instead)
            import parliament
    return parliament


def issues(parliament, policy) -> set[str]:
    return {one.issue for one in parliament.analyze_policy_string(json.dumps(policy)).findings}


def test_parliament_finds_the_documents_clean_as_well(parliament, project):
    """But for the statements on network interfaces, which are AWS's own, two for one action."""
    made = aws.documents(replace(project, network=None)) | {
        "endpoint-policy.json": aws.endpoint_policy(project)}
    for name in ("training-role-policy", "engineer-policy", "auditor-policy", "bucket-policy",
                 "endpoint-policy"):
        assert issues(parliament, made[f"{name}.json"]) <= {"RESOURCE_STAR"}, name


@pytest.mark.parametrize(("changed", "issue"), [
    ({"Action": "s3:Get0bject"}, "UNKNOWN_ACTION"), ({"Resource": "data/*"}, "INVALID_ARN"),
    ({"Resource": BUCKET}, "RESOURCE_MISMATCH"), ({"Action": "s3:ListBucket"}, "RESOURCE_MISMATCH"),
    ({"Condition": {"StringEqals": {"s3:prefix": "a"}}}, "UNKNOWN_OPERATOR"),
    ({"Condition": {"StringEquals": {"kms:ViaServce": "a"}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
    ({"Effect": "Alow"}, "MALFORMED"), ({"Efect": "Allow"}, "MALFORMED")])
def test_both_linters_find_the_same_faults(parliament, changed, issue):
    policy = aws.policy({**GOOD, **changed})
    assert issue in issues(parliament, policy)
    assert aws.lint(policy)


def test_the_actions_and_keys_of_s3_are_those_that_parliament_has(parliament):
    entry = next(one for one in parliament.iam_definition if one["prefix"] == "s3")
    theirs = {one["privilege"] for one in entry["privileges"]}
    assert theirs <= permissions.actions("s3")
    kinds = {one["privilege"]: {r["resource_type"].rstrip("*") for r in one["resource_types"]}
             for one in entry["privileges"]}
    table = permissions.table()["s3"]
    assert all("bucket" in kinds[one] for one in table["buckets"])
    assert all("object" in kinds[one] for one in table["objects"])
    for one in entry["conditions"]:
        assert permissions.is_key(one["condition"], frozenset(["s3"])), one["condition"]
