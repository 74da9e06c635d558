"""AWS's evaluation: hand-worked cases, laws that always hold, and moto where it enforces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.access_control import IAMPolicy, PermissionResult

from fmcourse.aws import policy
from fmcourse.aws.decide import ALLOWED, ANYONE, DENIED, NOT_ALLOWED, Access, decide
from fmcourse.errors import AwsError

ME, OTHER = "arn:aws:iam::111122223333:role/Me", "arn:aws:iam::444455556666:role/Other"
DATA = "arn:aws:s3:::data/a.txt"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"


def rule(effect="Allow", action="s3:GetObject", resource="*", **more):
    return policy({"Effect": effect, "Action": action, "Resource": resource, **more})


def of(caller, effect="Allow", action="s3:GetObject", **more):
    return rule(effect, action, Principal={"AWS": caller}, **more)


@pytest.mark.parametrize(("identity", "resource", "expected"), [
    ([], None, NOT_ALLOWED),
    ([rule()], None, ALLOWED),
    ([rule(action="s3:getOBJECT")], None, ALLOWED),
    ([rule(action=["s3:Put*", "s3:Get?bject"])], None, ALLOWED),
    ([rule(resource="arn:aws:s3:::data/*.txt")], None, ALLOWED),
    ([rule(resource="arn:aws:s3:::data")], None, NOT_ALLOWED),
    ([rule(), rule("Deny", "s3:*")], None, DENIED),
    ([policy({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"})], None, ALLOWED),
    ([policy({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"})], None, NOT_ALLOWED),
    ([rule(), policy({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::data/*"})],
     None, ALLOWED),
    ([rule(), policy({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b/*"})],
     None, DENIED),
    ([], of(ME), ALLOWED), ([], of("*"), ALLOWED), ([], rule(Principal="*"), ALLOWED),
    ([], of(OTHER), NOT_ALLOWED), ([rule()], of(OTHER, "Deny"), ALLOWED),
    ([rule()], of(ME, "Deny"), DENIED), ([rule()], of("111122223333", "Deny"), DENIED),
    ([], of("111122223333"), NOT_ALLOWED),  # the account may; it has to pass that on
    ([rule()], of("arn:aws:iam::111122223333:root"), ALLOWED),
    ([], rule(), NOT_ALLOWED),  # a resource's statement that names nobody
    ([rule()], policy({"Effect": "Deny", "NotPrincipal": {"AWS": ME}, "Action": "*",
                       "Resource": "*"}), ALLOWED),
    ([rule()], policy({"Effect": "Deny", "NotPrincipal": {"AWS": OTHER}, "Action": "*",
                       "Resource": "*"}), DENIED),
    ([rule(), rule("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], None, ALLOWED),
])
def test_requests_within_an_account(identity, resource, expected):
    access = Access(ME, "s3:GetObject", DATA, {"aws:SecureTransport": True})
    assert decide(access, identity, resource).why == expected


@pytest.mark.parametrize(("identity", "resource", "expected"), [
    ([rule()], None, False), ([], of(OTHER), False), ([rule()], of(OTHER), True),
    ([rule()], of("444455556666"), True), ([rule()], of(ME), False)])
def test_across_accounts_both_must_agree(identity, resource, expected):
    access = Access(OTHER, "s3:GetObject", DATA, account="111122223333")
    assert decide(access, identity, resource).allowed is expected


@pytest.mark.parametrize(("identity", "resource", "expected"), [
    ([rule(action="kms:*")], None, False), ([], of(ME, action="kms:*"), True),
    ([], of("111122223333", action="kms:*"), False),
    ([rule(action="kms:*")], of("111122223333", action="kms:*"), True)])
def test_a_key_must_allow_itself(identity, resource, expected):
    assert decide(Access(ME, "kms:Decrypt", KEY), identity, resource).allowed is expected


def test_anonymous_callers_need_a_policy_for_everyone():
    access = Access(ANYONE, "s3:GetObject", DATA)
    assert not decide(access).allowed
    assert not decide(access, [], of(ME)).allowed
    assert decide(access, [], rule(Principal="*")).allowed


def test_a_ceiling_gives_nothing_and_must_allow():
    access = Access(ME, "s3:GetObject", DATA)
    assert not decide(access, [], None, [rule()]).allowed
    assert decide(access, [rule()], None, [rule()]).allowed
    assert not decide(access, [rule()], None, [rule(action="s3:PutObject")]).allowed
    assert decide(access, [rule()], None, [rule("Deny")]).why == DENIED


def test_the_statement_that_decided_is_named():
    named = policy({"Sid": "Read", "Effect": "Allow", "Action": "*", "Resource": "*"})
    assert str(decide(Access(ME, "s3:GetObject", DATA), [named])) == "allowed (Read)"


@pytest.mark.parametrize("wrong", [
    {}, {"Statement": "x"}, {"Statement": [{"Effect": "Maybe"}]},
    {"Statement": {"Effect": "Allow", "Acton": "s3:GetObject", "Resource": "*"}},
    {"Statement": {"Effect": "Allow", "Action": 3, "Resource": "*"}},
    {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
    {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": "x"}}])
def test_what_is_no_policy_is_refused(wrong):
    with pytest.raises(AwsError, match="no policy"):
        decide(Access(ME, "s3:GetObject", DATA), [wrong])


ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*", "kms:Decrypt"]
RESOURCES = ["*", "arn:aws:s3:::data/*", "arn:aws:s3:::data/a", "arn:aws:s3:::other/*"]
PLAIN = st.fixed_dictionaries({
    "Effect": st.sampled_from(["Allow", "Deny"]),
    "Action": st.sampled_from(ACTIONS) | st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    "Resource": st.sampled_from(RESOURCES) | st.lists(st.sampled_from(RESOURCES), min_size=1)})
CONDITIONS = st.sampled_from([
    {}, {"Bool": {"aws:SecureTransport": "true"}}, {"StringLike": {"s3:prefix": ["a/*", "b"]}},
    {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, {"Null": {"s3:prefix": "true"}}])
STATEMENT = st.builds(lambda part, condition: {**part, "Condition": condition}, PLAIN, CONDITIONS)
CALLERS = st.sampled_from(["*", {"AWS": ME}, {"AWS": [OTHER, "111122223333"]}, {"AWS": "*"}])
THEIRS = st.builds(lambda part, who: {**part, "Principal": who}, STATEMENT, CALLERS)
ACCESSES = st.builds(
    Access, st.sampled_from([ME, OTHER, ANYONE]),
    st.sampled_from(["s3:GetObject", "s3:PutObject", "kms:Decrypt"]),
    st.sampled_from(["arn:aws:s3:::data/a", "arn:aws:s3:::data/b", KEY]),
    st.dictionaries(st.sampled_from(["aws:SecureTransport", "s3:prefix", "aws:SourceVpce"]),
                    st.sampled_from(["true", "false", "a/b", "vpce-1"])),
    st.sampled_from(["", "111122223333"]))
DOCUMENT = st.lists(STATEMENT, max_size=4).map(lambda some: policy(*some))


@given(ACCESSES, st.lists(DOCUMENT, max_size=3), st.lists(THEIRS, max_size=3), STATEMENT)
def test_deny_wins_and_allow_never_takes_away(access, identity, theirs, more):
    resource = policy(*theirs)
    before = decide(access, identity, resource)
    after = decide(access, [*identity, policy({**more, "Effect": "Allow"})], resource)
    assert after.allowed >= before.allowed
    let_in = policy(*theirs, {**more, "Effect": "Allow", "Principal": "*"})
    assert decide(access, identity, let_in).allowed >= before.allowed
    everything = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    denied = decide(access, [*identity, policy(everything)], resource)
    assert (denied.allowed, denied.why) == (False, DENIED)
    denied = decide(access, identity, policy(*theirs, {**everything, "Principal": "*"}))
    assert not denied.allowed


@given(st.sampled_from(["s3:GetObject", "s3:PutObject"]),
       st.sampled_from(["arn:aws:s3:::data/a", "arn:aws:s3:::other/b"]),
       st.lists(st.lists(PLAIN, min_size=1, max_size=4), max_size=3))
def test_moto_decides_alike_where_it_enforces(action, resource, documents):
    made = [policy(*parts) for parts in documents]
    theirs = [IAMPolicy(json.dumps(one)).is_action_permitted(action, resource) for one in made]
    allowed = PermissionResult.DENIED not in theirs and PermissionResult.PERMITTED in theirs
    assert decide(Access(ME, action, resource), made).allowed is allowed
