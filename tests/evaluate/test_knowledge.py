"""Questions made of documents: fair by construction, and answerable by whoever read them."""

from collections import Counter

import pytest

from fmcourse import evaluate
from fmcourse.errors import DataError
from fmcourse.evaluate.knowledge import acronyms, alike, gives_away

SERVICES = [f"Amazon {name}" for name in ("Fox", "Owl", "Hen", "Bat", "Elephant", "Antelope")]
OPERATIONS = [(f"{verb}{thing}{i}", service) for i, service in enumerate(SERVICES)
              for verb in ("Get", "Put") for thing in ("Lamp", "Door", "Wall")]


def test_answers_of_a_block_are_each_right_once_and_of_one_length():
    items = evaluate.operation_items(OPERATIONS, limit=24)
    assert len(items) == 24
    for row in items:
        lengths = [len(choice) for choice in (row["answer"], *row["distractors"])]
        assert max(lengths) - min(lengths) <= 3
        assert len({row["answer"], *row["distractors"]}) == 4
    assert set(Counter(items["answer"][:]).values()) == {6}
    assert len(set(items["prompt"][:])) == 24
    truth = {f"{name} is an operation of": service for name, service in OPERATIONS}
    assert all(truth[row["prompt"]] == row["answer"] for row in items)


def test_an_operation_of_two_services_or_named_after_its_service_is_not_asked():
    unfair = [("DeleteTags", "Amazon Fox"), ("DeleteTags", "Amazon Owl"),
              ("CreateElephant", "Amazon Elephant")]
    asked = " ".join(evaluate.operation_items(OPERATIONS + unfair, limit=99)["prompt"][:])
    assert "DeleteTags" not in asked
    assert "CreateElephant" not in asked


def test_plural_and_case_give_away_too():
    assert gives_away("ListGateways", "AWS Gateway")
    assert gives_away("StartS3DataAccess", "Amazon DataZone")
    assert not gives_away("CreateJob", "Amazon Bedrock")


def test_the_seed_decides_which_are_asked():
    first, again, other = (evaluate.operation_items(OPERATIONS, 8, seed)["prompt"][:]
                           for seed in (0, 0, 1))
    assert first == again != other


def test_names_of_no_common_length_make_no_block():
    with pytest.raises(DataError, match="too few names"):
        evaluate.operation_items([("GetLamp", "A" * size) for size in (3, 9, 20, 40)])


def test_alike_uses_each_answer_once():
    import random

    words = ["a" * size for size in (1, 2, 3, 4, 9, 9, 10, 11, 30)]
    groups = list(alike([f"{word}{i}" for i, word in enumerate(words)], random.Random(0)))
    flat = [word for group in groups for word in group]
    assert len(flat) == len(set(flat))
    assert all(max(map(len, g)) - min(map(len, g)) <= 3 for g in groups)


def test_acronyms_need_matching_initials_and_more_than_one_mention():
    text = ("The Domain Name System (DNS) is not the Simple Storage Service (SSS). Use the "
            "Domain Name System (DNS). The Elastic Load Balancer (ALB) and the Transport Layer "
            "Security (TLS) are there.")
    assert acronyms([text]) == {"DNS": "Domain Name System"}
    assert acronyms([text], often=1).keys() == {"DNS", "SSS", "TLS"}


def test_acronym_items_ask_for_expansions():
    texts = [f"{words} ({''.join(w[0] for w in words.split())})" for words in (
        "Red Fox", "Old Owl", "Big Bat", "Fat Hen")] * 2
    items = evaluate.acronym_items(texts)
    assert sorted(items["answer"][:]) == ["Big Bat", "Fat Hen", "Old Owl", "Red Fox"]
    assert items["prompt"][0].startswith("The acronym ")


def test_a_model_that_read_the_answers_scores_them(monkeypatch):
    """The columns are those of the fact probes: whoever likes the right answer best gets it."""
    from fmcourse.evaluate import facts

    items = evaluate.operation_items(OPERATIONS, limit=24)
    truth = dict(zip(items["prompt"][:], items["answer"][:], strict=True))

    def knows(_, prompts, endings=None):
        if isinstance(prompts, str):
            return [0.0] * len(endings)
        return [0.0 if truth[p] in e else -5.0 for p, e in zip(prompts, endings, strict=True)]

    monkeypatch.setattr(facts, "sequence_log_likelihood", knows)
    assert evaluate.overall(facts.score_facts(object(), items)) == 1.0
    truth.update(zip(truth, [*truth.values()][1:] + [*truth.values()][:1], strict=True))
    assert evaluate.overall(facts.score_facts(object(), items)) < 0.3
