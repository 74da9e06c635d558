"""Who may do what: as intended with least privilege, not so with one role for all."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace

import pytest

from fmcourse import aws
from fmcourse.aws import policies, table


@pytest.fixture(scope="module")
def least(project):
    return aws.allow_deny_table(project)


def test_every_request_gets_the_answer_it_should(least):
    assert (least["evaluator"] == least["expected"]).all()
    judged = least.dropna(subset="store")
    assert (judged["store"] == judged["expected"]).all()
    assert len(judged) >= 25
    assert (least["store"].isna() == (least["beyond"] != "")).all()
    assert {"allow", "deny"} == set(judged["expected"])
    assert set(least["who"]) >= {"training role", "data engineer", "auditor", "stranger"}


def test_one_role_for_all_lets_through_what_nobody_meant(least, bare):
    """On a project in another region, with neither key nor network, and another account."""
    shared = aws.allow_deny_table(replace(bare, account="999988887777"), shared=True)
    forbidden = shared[(shared["expected"] == "deny") & shared["store"].notna()]
    assert (forbidden["store"] == "allow").mean() > 0.5
    judged = shared.dropna(subset="store")
    assert (judged["store"] == judged["evaluator"]).all()
    assert len(shared) < len(least)  # without rows on key and endpoint


@pytest.mark.parametrize(("document", "sid", "who", "on"), [
    ("bucket_policy", "OnlyEncryptedTransport", "data engineer", "without TLS"),
    ("bucket_policy", "TrainingOnlyThroughTheEndpoint", "training role", "past the VPC endpoint"),
    ("bucket_policy", "OnlyOurKey", "data engineer", "with another key"),
    ("role_policy", "ReadTraining", "training role", "training/train.jsonl"),
    ("engineer_policy", "PassTrainingRole", "data engineer", "the role BedrockTraining")])
def test_without_a_statement_the_table_shows_it(project, monkeypatch, document, sid, who, on):
    make = getattr(policies, document)

    def without(*given):
        return aws.policy(*(part for part in make(*given)["Statement"] if part["Sid"] != sid))

    monkeypatch.setattr(policies, document, without)
    wrong = [case for case in table.cases(project)
             if table.judge(project, case.access).allowed is not case.expected]
    assert (who, on) in {(case.who, case.on) for case in wrong}


def test_a_deny_that_counts_absent_keys_is_seen(project, monkeypatch):
    """Found by this table when the policy was written: `IfExists` holds where the key is absent."""
    def hasty(project):
        return aws.policy(aws.statement(
            "OnlyOurKey", ["s3:PutObject"], "*", principal="*", effect="Deny", condition={
                "StringNotEqualsIfExists": {
                    "s3:x-amz-server-side-encryption-aws-kms-key-id": project.key_arn}}))

    monkeypatch.setattr(policies, "bucket_policy", hasty)
    wrong = [case for case in table.cases(project) if case.expected
             and not table.judge(project, case.access).allowed]
    assert {case.access.action for case in wrong} == {"s3:PutObject"}


def test_the_trust_policy_without_its_condition_is_a_confused_deputy(project, monkeypatch):
    def naive(project):
        part = {name: value for name, value in trusted["Statement"][0].items()
                if name != "Condition"}
        return aws.policy(part)

    trusted = aws.trust_policy(project)
    monkeypatch.setattr(policies, "trust_policy", naive)
    wrong = [case.on for case in table.cases(project)
             if table.judge(project, case.access).allowed is not case.expected]
    assert wrong == ["for somebody else's job"]


def test_a_store_leaves_no_trace_and_needs_nothing_of_this_machine(bare, monkeypatch, capfd):
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    level, threads = logging.getLogger("werkzeug").level, threading.active_count()
    with aws.local(bare) as store:
        assert "AWS_PROFILE" not in os.environ
        assert store.settings()["encryption"]["SSEAlgorithm"] == "AES256"
        assert store.attempt(bare.auditor, "list_objects_v2") == "allowed"
    assert os.environ["AWS_PROFILE"] == "nobody-has-this"
    assert "AWS_CONFIG_FILE" not in os.environ
    assert logging.getLogger("werkzeug").level == level
    assert threading.active_count() <= threads
    assert capfd.readouterr() == ("", "")
    with aws.local(bare) as again:
        assert again.attempt(bare.engineer, "get_object", Key="training/none") == "allowed"
