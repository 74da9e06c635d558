"""Conditions: every row of AWS's own tables, and no input that crashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.aws.conditions import glob, holds, is_operator, operators
from fmcourse.errors import AwsError

TAGS = {"StringEqualsIgnoreCase": {"aws:RequestTag/environment": ["preprod", "storage"]},
        "ForAnyValue:StringEquals": {"aws:TagKeys": "environment"}}
ONLY = {"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]},
        "Null": {"aws:TagKeys": "false"}}
ROLE = "arn:aws:iam::111122223333:role/R"


@pytest.mark.parametrize(("condition", "context", "expected"), [
    # reference_policies_elements_condition_operators
    ({"StringEquals": {"aws:PrincipalTag/job": "admin"}}, {"aws:PrincipalTag/job": "admin"}, True),
    ({"StringEquals": {"aws:PrincipalTag/job": "admin"}}, {"aws:PrincipalTag/job": "ops"}, False),
    ({"StringEquals": {"aws:PrincipalTag/job": "admin"}}, {}, False),
    ({"StringLike": {"s3:prefix": ["home/", "home/${aws:username}/"]}},
     {"s3:prefix": "home/martha/", "aws:username": "martha"}, True),
    ({"StringLike": {"s3:prefix": ["home/", "home/${aws:username}/"]}},
     {"s3:prefix": "home/nikki/", "aws:username": "martha"}, False),
    ({"StringLike": {"s3:prefix": "home/${aws:username}/"}}, {"s3:prefix": "home//"}, False),
    (TAGS, {"aws:TagKeys": ["environment"], "aws:RequestTag/environment": "preprod"}, True),
    (TAGS, {"aws:TagKeys": ["environment", "x"], "aws:RequestTag/environment": "PreProd"}, True),
    (TAGS, {"aws:TagKeys": ["Environment"], "aws:RequestTag/environment": "preprod"}, False),
    (TAGS, {"aws:TagKeys": ["x"], "aws:RequestTag/environment": "preprod"}, False),
    (TAGS, {"aws:RequestTag/environment": "storage"}, False),
    (TAGS, {"aws:TagKeys": ["environment"]}, False),
    ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": False}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
    ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.1"}, True),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "198.51.100.1"}, False),
    ({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8::/32"]}},
     {"aws:SourceIp": "2001:db8::1"}, False),
    ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-west-2:123456789012:T"}},
     {"aws:SourceArn": "arn:aws:sns:us-west-2:777788889999:T"}, False),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:123456789012:T*"}},
     {"aws:SourceArn": "arn:aws:sns:us-west-2:123456789012:Topic"}, True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:*:T"}},  # no wildcard crosses a colon
     {"aws:SourceArn": "arn:aws:sns:us-west-2:123456789012:T"}, False),
    ({"BinaryEquals": {"key": "QQ=="}}, {"key": "QQ=="}, True),
    ({"BinaryEquals": {"key": "QQ=="}}, {"key": "ASIA"}, False),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": 10}, True),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "many"}, False),
    ({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
     {"aws:TokenIssueTime": "2026-11-26T00:00:00Z"}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:01Z"}},
     {"aws:CurrentTime": "1577836800"}, True),
    # reference_policies_condition-single-vs-multi-valued-context-keys
    (ONLY, {"aws:TagKeys": ["environment"]}, True),
    (ONLY, {"aws:TagKeys": ["environment", "cost-center"]}, True),
    (ONLY, {"aws:TagKeys": ["environment", "dept"]}, False), (ONLY, {}, False),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, {}, True),
    ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}, {"aws:TagKeys": ["a", "b"]}, True),
    # the rules in words: absent keys, …IfExists, nor, and
    ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, {}, True),
    ({"StringNotEquals": {"aws:SourceVpce": ["a", "b"]}}, {"aws:SourceVpce": "b"}, False),
    ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, {}, True),
    ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, {"aws:sourcevpce": "vpce-2"}, False),
    ({"StringEquals": {"a:b": "1", "a:c": "2"}}, {"a:b": "1"}, False),
    ({"Null": {"aws:SourceVpce": True}}, {}, True),
    ({"StringLike": {"a:b": "x${*}y"}}, {"a:b": "x*y"}, True),
    ({"StringLike": {"a:b": "x${*}y"}}, {"a:b": "xzy"}, False),
    ({"StringEquals": {"a:b": "x*"}}, {"a:b": "xy"}, False),
    ({"StringEquals": {"a:b": "${aws:username, 'nobody'}"}}, {"a:b": "nobody"}, True),
    ({}, {}, True),
])
def test_conditions_hold_as_in_the_tables_of_aws(condition, context, expected):
    assert holds(condition, context) is expected


def test_an_unknown_operator_is_named():
    with pytest.raises(AwsError, match="Did you mean StringEquals"):
        holds({"StringEqals": {"a:b": "c"}}, {})


@pytest.mark.parametrize("name", ["BoolNot", "NotBool", "NumericNotLessThan", "ForAll:StringLike",
                                  "NullIfExists", "ForAnyValue:Null", "", "IfExists"])
def test_what_only_looks_like_an_operator_is_none(name):
    assert not is_operator(name)


NAMES = [f"{sets}{name}{suffix}" for sets in ("", "ForAllValues:", "ForAnyValue:")
         for name in operators() if name != "Null" for suffix in ("", "IfExists")] + ["Null"]
VALUES = st.sampled_from(["", "1", "true", "10.0.0.0/8", "10.0.0.1", "2026-01-01", "x", "*", "QQ==",
                          "${a:b}", "${x}", "arn:a:b:c:d:e", "1e999", "nan"]) | st.text(max_size=6)
GIVEN = VALUES | st.integers() | st.booleans() | st.lists(VALUES, max_size=3)


@settings(deadline=None)
@given(st.sampled_from(NAMES), GIVEN, st.none() | GIVEN)
def test_no_value_makes_a_condition_crash(operator, wanted, there):
    assert holds({operator: {"A:b": wanted}}, {"a:B": there}) in (True, False)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_are_those_of_shell_patterns(pattern, text):
    from fnmatch import fnmatchcase

    assert glob(pattern, text) == fnmatchcase(text, pattern)
