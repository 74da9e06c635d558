"""The real dirt: what is in it, and what the standard steps leave of it."""

import re

import pytest

from fmcourse import data
from fmcourse.data import curation
from fmcourse.data.domain import services

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def tests():
    return data.held_out(0, 20_000, "validation", "boolq-passages")


@pytest.fixture(scope="module")
def raw(tests):
    return curation.raw(600_000, seed=0, tests=tests)


def test_it_holds_every_source_in_its_share_and_no_held_out_service(raw):
    sizes: dict[str, int] = {}
    for source, text in zip(raw["source"][:], raw["text"][:], strict=True):
        sizes[source] = sizes.get(source, 0) + len(text)
    assert {source: round(size / sum(sizes.values()), 1) for source, size in sizes.items()
            if source != "planted"} == pytest.approx(curation.SHARES, abs=0.11)
    held_out = {f"aws-docs-html: {name}" for names in services().values() for name in names}
    assert not held_out & set(raw["document"][:])


def test_the_standard_steps_leave_clean_text(raw, tests):
    curated = curation.curate(raw, curation.standard(tests))
    texts = curated.kept["text"][:]
    assert 0.3 < len(texts) / len(raw) < 0.7
    assert not [text for text in texts if re.search(r"</?(?:p|code|a|li)>|\[\[|\{\{|Ã©", text)]
    assert len({" ".join(text.lower().split()) for text in texts}) == len(texts)
    assert all(set(group["why"]) for _, group in curated.dropped.to_pandas().groupby("step"))
    grades = curation.grade(curated, raw).set_index("kind")
    assert (grades["recall"].drop("word salad") >= 0.6).all(), grades


def test_what_is_left_can_be_split_by_document(raw, tests):
    kept = curation.curate(raw, curation.standard(tests)).kept
    parts = data.split_by_document(kept, held_out=0.05)
    data.check_no_leak(parts)
    assert sum(map(len, parts.values())) == len(kept)
