"""Domain corpora: parts by service, nothing of a held-out part in train, made once."""

import random
import sys

import pytest
from datasets import Dataset

from fmcourse import data, sources
from fmcourse.data.domain import HELD_OUT, by_service, services
from fmcourse.errors import DataError

MODULE = sys.modules["fmcourse.data.domain"]  # `data.domain` is the function
LISTS = {"test": ["lamp", "absent"], "task": ["desk"], "validation": ["chair"], "aside": ["lamp2"]}
SHARED = "The request was denied because too many requests were made at the same time."


def row(service: str, name: str, about: str) -> dict:
    return {"text": f"{name}, a structure of {service}.\n\n{about}", "document": service,
            "service": service.title(), "kind": "shape", "name": name, "prose": len(about),
            "source": "made"}


def corpus() -> Dataset:
    draw = random.Random(0)
    rows = [row(service, f"Shape{i}", " ".join(f"w{draw.randrange(500)}" for _ in range(30)))
            for service in ("bed", "chair", "desk", "lamp", "lamp2", "sofa") for i in range(5)]
    rows += [row(service, "Throttled", SHARED) for service in ("bed", "lamp", "sofa")]
    rows.append(row("sofa", "Terse", "Too short."))
    return data.with_card(Dataset.from_list(rows), data.Card("made", {"made": "0" * 64}))


def test_services_go_where_the_list_says_and_the_rest_is_train():
    parts = by_service(corpus(), LISTS)
    assert {part: set(texts["document"][:]) for part, texts in parts.items()} == {
        "train": {"bed", "sofa"}, "validation": {"chair"}, "task": {"desk"}, "test": {"lamp"}}
    assert {part: len(texts) for part, texts in parts.items()} == {
        "train": 10, "validation": 5, "task": 5, "test": 6}


def test_what_train_shares_with_a_held_out_part_leaves_train():
    parts = by_service(corpus(), LISTS)
    assert sum(SHARED in text for text in parts["test"]["text"][:]) == 1
    assert not any(SHARED in text for text in parts["train"]["text"][:])
    free = by_service(corpus(), {**LISTS, "test": ["lamp2"], "aside": ["lamp"]})
    assert sum(SHARED in text for text in free["train"]["text"][:]) == 1  # else the first keeps it


def test_the_card_accounts_for_every_row():
    for part in by_service(corpus(), LISTS).values():
        steps = data.card(part).steps
        assert [step["step"] for step in steps[:-1]] == [
            "documented", "normalise", "siblings aside", "exact duplicates", "near duplicates"]
        rows = len(corpus())
        for step in steps:
            assert step["kept"] + step["dropped"] == rows
            rows = step["kept"]
        assert rows == len(part)


def test_an_empty_part_is_an_error():
    with pytest.raises(DataError, match="task part is empty"):
        by_service(corpus(), {**LISTS, "task": ["absent"]})


def test_an_unknown_domain_names_the_known_ones():
    with pytest.raises(DataError, match="aws-2022"):
        data.domain("legal")


def test_a_domain_is_made_once_and_again_when_its_recipe_or_source_changes(monkeypatch):
    reads = []
    monkeypatch.setattr(MODULE, "services", lambda: LISTS)
    monkeypatch.setattr(sources, "fingerprint", lambda name: f"{name}:1")
    monkeypatch.setattr(sources, "load", lambda name: reads.append(name) or corpus())
    first = data.domain("aws")
    assert data.domain("aws")["train"]["text"][:] == first["train"]["text"][:]
    assert data.card(first["train"]).name == "aws"
    assert reads == ["aws-docs"]
    monkeypatch.setattr(MODULE, "RECIPE", "another")
    data.domain("aws")
    monkeypatch.setattr(sources, "fingerprint", lambda name: f"{name}:2")
    data.domain("aws")
    data.domain("aws-2022")
    assert reads == ["aws-docs", "aws-docs", "aws-docs", "aws-docs-2022"]


def test_a_failure_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(sources, "fingerprint", lambda name: name)
    monkeypatch.setattr(sources, "load", lambda _: corpus())
    monkeypatch.setattr(MODULE, "services", lambda: {**LISTS, "task": []})
    with pytest.raises(DataError, match="empty"):
        data.domain("aws")
    monkeypatch.setattr(MODULE, "services", lambda: LISTS)
    assert len(data.domain("aws")["task"]) == 5


def test_medical_articles_are_split_by_question(monkeypatch):
    rows = [{"text": f"{i} " + " ".join(f"w{i}x{j}" for j in range(20)), "document": f"q{i}",
             "question": f"q{i}", "answer": "yes", "answered_by": "rule", "source": "pubmed"}
            for i in range(100)]
    made = data.with_card(Dataset.from_list(rows), data.Card("pubmed", {}))
    monkeypatch.setattr(sources, "load", lambda _: made)
    parts = data.domain("medical")
    assert set(parts) == {"train", "validation", "test"}
    assert sum(map(len, parts.values())) == 100
    assert set(parts["test"].column_names) >= {"text", "question", "answer"}


def test_the_list_of_services_is_sound():
    lists = services()
    assert set(lists) == {*HELD_OUT, "aside"}
    everything = [service for names in lists.values() for service in names]
    assert len(everything) == len(set(everything))
    assert len(lists["task"]) == 24
    assert not {"ec2", "s3", "rds", "ssm", "sns", "sqs"} & set(everything)
