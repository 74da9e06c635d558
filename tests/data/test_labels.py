"""Labelled tasks: nothing gives the answer away, nothing leaks, every prefix is balanced."""

from collections import Counter

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data import Card, with_card
from fmcourse.data.labels import _round_robin, giveaways, label_by_service, paragraphs
from fmcourse.errors import DataError

SERVICES = {"glue": "AWS Glue", "cognito-idp": "Amazon Cognito Identity Provider",
            "kms": "AWS Key Management Service"}
WORDS = ("table", "pool", "cipher", "crawler", "password", "rotation", "schema", "token", "grant",
         "column", "group", "alias", "partition", "client", "policy", "trigger", "session", "store",
         "job", "region")


def documentation(per_service=60):
    rows = []
    for place, (document, service) in enumerate(SERVICES.items()):
        for i in range(per_service):
            words = " ".join(WORDS[(i * step + place) % len(WORDS)] + str(i * step + place)
                             for step in range(1, 16))
            rows.append({"text": f"Get{i}Request, a structure of {service}.\n\nWith {service} you "
                                 f"can have {words} in any order you like.",
                         "document": document, "service": service, "name": f"Get{i}Request"})
    return with_card(Dataset.from_list(rows), Card("documentation", {"tiny": "0" * 64}))


@pytest.fixture(scope="module")
def parts():
    return label_by_service(documentation(), seed=0, train=60, test=12)


def test_sizes_columns_and_cards(parts):
    assert {name: len(part) for name, part in parts.items()} == {"train": 60, "test": 12}
    assert set(parts["train"].column_names) == {"text", "label", "service", "document"}
    assert "labelled" in data.card(parts["test"]).steps[-1]["step"]


def test_no_text_says_its_service_or_keeps_its_heading(parts):
    for row in [*parts["train"], *parts["test"]]:
        assert not giveaways(row["service"], SERVICES[row["service"]]).search(row["text"])
        assert "structure of" not in row["text"]
        assert row["text"].startswith("With the service you can")


def test_every_prefix_is_balanced(parts):
    labels = parts["train"]["label"][:]
    for n in range(1, len(labels)):
        counts = Counter(labels[:n])
        assert max(counts.values()) - min(counts[label] for label in range(3)) <= 1


def test_a_call_and_its_request_go_to_one_side():
    rows = documentation().to_list()
    rows += [{**row, "name": row["name"].replace("Request", "Response"),
              "text": row["text"].replace("can have", "never see").replace("5", "7")}
             for row in rows]
    parts = label_by_service(with_card(Dataset.from_list(rows), Card("both", {})), 0, 60, 12)
    assert not set(parts["train"]["document"][:]) & set(parts["test"]["document"][:])


def test_the_seed_draws_anew_and_repeats_itself(parts):
    again = label_by_service(documentation(), seed=0, train=60, test=12)
    other = label_by_service(documentation(), seed=1, train=60, test=12)
    assert again["train"]["text"][:] == parts["train"]["text"][:]
    assert other["train"]["text"][:] != parts["train"]["text"][:]


def test_near_equal_paragraphs_come_once():
    rows = documentation().to_list()
    copies = [{**row, "text": f"{row['text']} Really.", "name": f"Copy{row['name']}"}
              for row in rows]
    once = label_by_service(with_card(Dataset.from_list(rows), Card("a", {})), 0, 60, 12)
    twice = label_by_service(with_card(Dataset.from_list(rows + copies), Card("b", {})), 0, 60, 12)
    seen = [text.removesuffix(" Really.") for text in twice["train"]["text"][:]]
    assert len(seen) == len(set(seen)) == len(once["train"])


def test_too_few_paragraphs_are_refused():
    with pytest.raises(DataError, match="different paragraphs"):
        label_by_service(documentation(), seed=0, train=600, test=12)


def test_as_many_of_each_are_held_out_as_the_rarest_service_has():
    rows = [{"service": name, "text": f"{name} {i}"} for name, many in (("a", 9), ("b", 4))
            for i in range(many)]
    few = _round_robin(rows, 12, seed=0, or_fewer=True)
    assert Counter(row["label"] for row in few) == {0: 4, 1: 4}
    assert len(_round_robin(rows, 6, seed=0, or_fewer=True)) == 6
    with pytest.raises(DataError, match="b has 4 different paragraphs here, not 6"):
        _round_robin(rows, 12, seed=0, or_fewer=False)


@pytest.mark.parametrize(("document", "text", "masked"), [
    ("glue", "Use AWS Glue, glue or GLUE.", "Use the service, the service or the service."),
    ("glue", "An AWSGlueRole, an AWS-Glue job.", "An the serviceRole, an the service job."),
    ("glue", "It is glued together.", "It is glued together."),
    ("cognito-idp", "Cognito user pools; identity.", "the service user pools; identity."),
    ("kms", "KMS keys and KMSKey", "the service keys and the serviceKey"),
    ("kms", "AWS Key Management Service", "the service"),
])
def test_what_gives_the_answer_away(document, text, masked):
    assert giveaways(document, SERVICES[document]).sub("the service", text) == masked


def test_paragraphs_are_cut_between_sentences():
    sentence = "This sentence has exactly fifty characters in all."
    assert len(sentence) == 50
    assert list(paragraphs(" ".join([sentence] * 5), 60, 110)) == [f"{sentence} {sentence}"] * 2
    assert list(paragraphs("word " * 300)) == []  # one endless sentence is no paragraph


@pytest.mark.data
def test_the_real_services():
    parts = data.service_paragraphs(0)
    assert (len(parts["train"]), len(parts["test"])) == (4096, 1008)
    counts = Counter(parts["test"]["service"][:])
    assert set(counts.values()) == {42}
    assert len(counts) == 24
    lengths = [len(text) for text in parts["train"]["text"][:]]
    assert max(lengths) <= 700  # a mask can be longer than the name


@pytest.mark.data
def test_yes_and_no_are_as_many():
    parts = data.yes_no(0)
    for part in parts.values():
        assert sum(part["label"][:]) * 2 == len(part)
    assert len(parts["train"]) > 5000
    assert "?" in parts["train"][0]["text"]
    assert parts["train"]["text"][:] != data.yes_no(1)["train"]["text"][:]
