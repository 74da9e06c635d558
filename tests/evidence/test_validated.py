"""D5's faults are faults: the record they are made from is good, and no fault is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import formats
from fmcourse.evidence.experiments.validated import CHANGES, faults, is_good, is_json, share

PAIR = {"prompt": "Who am I?", "completion": "aws sts get-caller-identity"}
RECORDS = [
    *(data.convert_record(PAIR, formats.PAIR, data.record_format(name)) for name in (
        "prompt-completion", "messages", "bedrock-conversation", "bedrock-rft",
        "bedrock-distillation")),
    {"prompt": "Who am I?", "chosen": "aws sts get-caller-identity", "rejected": "aws s3 ls"},
    {"text": "Once upon a time"}, {"source": "Once upon a time"}]


@given(st.sampled_from(RECORDS), st.integers(0, 10_000))
def test_a_record_is_good_until_it_gets_a_fault(record, seed):
    assert is_good(formats.as_line(record))
    found = list(faults(record, random.Random(seed)))
    assert len(found) > 4
    assert not [line for line in found if is_good(line)]


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_fault_is_made_somewhere_and_keeps_the_record_apart(change):
    for record in RECORDS:
        before = formats.as_line(record)
        list(faults(record, random.Random(0)))
        assert formats.as_line(record) == before
    draws = (dict(record, **({"messages": [dict(turn) for turn in record["messages"]]}
                             if "messages" in record else {})) for record in RECORDS)
    assert any(change(record, random.Random(0)) for record in draws)


def test_a_parser_alone_lets_faults_through():
    lines = [line for record in RECORDS for line in faults(record, random.Random(0))]
    assert 0.3 < share(is_json, lines) < 0.8
    assert share(is_good, lines) == 0
