"""The real domain corpora: their sizes, and that no part has seen another."""

import re

import pytest

from fmcourse import data, evaluate, sources
from fmcourse.data.domain import HELD_OUT, body, services
from fmcourse.data.near_duplicates import features, jaccard
from fmcourse.errors import DataError

pytestmark = pytest.mark.data


def paragraphs(texts: list[str]) -> set[str]:
    """Lines of 100 to 600 characters of prose, without a member's name in front."""
    lines = (re.sub(r"^\w+: ", "", line) for text in texts for line in text.split("\n"))
    return {line for line in lines
            if 100 <= len(line) <= 600 and not line.startswith("- ") and line[-1] in ".!?"}


def test_the_real_list_names_real_services_and_all_relatives_of_the_test_part():
    lists = services()
    known = {document for name in ("aws-docs", "aws-docs-2022")
             for document in sources.load(name)["document"][:]}
    assert {service for names in lists.values() for service in names} <= known
    assert {name for name in known if name.startswith(("bedrock", "sagemaker"))} <= {*lists["test"]}


@pytest.mark.parametrize(("name", "sizes"), [
    ("aws", {"train": 30.3, "validation": 1.14, "task": 6.85, "test": 3.31}),
    ("aws-2022", {"train": 16.4, "validation": 0.84, "task": 4.38, "test": 1.06})])
def test_the_real_parts_have_their_size_and_share_nothing(name, sizes):
    parts = data.domain(name)
    data.check_no_leak(parts)
    for part, millions in sizes.items():
        assert data.card(parts[part]).characters / 1e6 == pytest.approx(millions, rel=0.02)
        assert data.card(parts[part]).licence == ("Apache-2.0",)
        assert not any(re.search("</?(?:p|code|li)>", text) for text in parts[part]["text"][:])


@pytest.mark.parametrize("part", HELD_OUT)
def test_no_sampled_held_out_text_is_nearly_in_train(part):
    """By comparing a sample with every text of train that shares enough words: no hashing here."""
    parts = data.domain("aws")
    train = [features(body(text)) for text in data.sample(parts["train"], 6000)["text"][:]]
    for text in data.sample(parts[part], 40)["text"][:]:
        own = features(body(text))
        near = (other for other in train if 0.8 <= len(own) / len(other) <= 1.25)
        assert max((jaccard(own, other) for other in near), default=0) < 0.8


def test_every_task_service_has_paragraphs_of_its_own():
    task = data.domain("aws")["task"]
    texts: dict[str, list[str]] = {}
    for document, text in zip(task["document"][:], task["text"][:], strict=True):
        texts.setdefault(document, []).append(text)
    found = {service: paragraphs(own) for service, own in texts.items()}
    assert len(found) == 24
    for service, own in found.items():
        others = set().union(*(lines for name, lines in found.items() if name != service))
        assert len(own - others) >= 260, service


def test_medical_abstracts():
    parts = data.domain("medical")
    assert sum(map(len, parts.values())) == 1000
    assert set(parts["train"]["answer"][:]) == {"yes", "no", "maybe"}
    assert not any("Context (" in text for part in parts.values() for text in part["text"][:])


def test_releases_know_what_is_new_and_what_is_not():
    both = data.releases()
    old, new = set(both.old["text"][:]), set(both.new["text"][:])
    assert set(both.news["text"][:]) == new - old
    lasting, young = set(both.old["document"][:]), set(both.new["document"][:])
    assert len(lasting) == 24
    assert len(young - lasting) == 24
    assert not young & set(services()["test"] + services()["task"])
    services_then = {service for _, service in both.unchanged()}
    services_since = {service for _, service in both.added()}
    assert not services_then & services_since
    assert len(both.added()) > 1000
    assert len(both.unchanged()) > 1000


def test_few_services_are_enough_for_questions_of_both_kinds():
    both = data.releases(4)
    for operations in (both.added(), both.unchanged()):
        items = evaluate.operation_items(operations, 16)
        assert len(items) == 16
        assert len(set(items["answer"][:])) == 4


def test_no_service_is_an_error():
    with pytest.raises(DataError, match="no services"):
        data.releases(0)


def test_whole_corpora_give_three_hundred_questions():
    """As many as the syllabus asks for: what came since, what stayed, and what is abbreviated."""
    both, texts = data.releases(), data.domain("aws")["train"]["text"][:]
    kinds = (evaluate.operation_items(both.added(), 160),
             evaluate.operation_items(both.unchanged(), 160), evaluate.acronym_items(texts))
    assert len(evaluate.items_of(*kinds)) > 400
    assert all(len(set(items["prompt"][:])) == len(items) for items in kinds)
