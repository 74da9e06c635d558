"""Planted dirt is where it says it is, and the grades follow from what a pipeline does with it."""

from __future__ import annotations

import pytest
import tiny
from datasets import Dataset
from pandas.testing import assert_frame_equal

from fmcourse import data
from fmcourse.data import curation
from fmcourse.data.curation import Drop, Step
from fmcourse.data.curation.dirt import CLEAN, DIRT, FOREIGN, LEAKED
from fmcourse.errors import DataError

GERMAN = [f"Der Fluss Nummer {i} entspringt im Norden der Stadt, und an seinen Ufern leben seit "
          "Jahrhunderten Menschen, die fischen und Boote bauen." for i in range(20)]
TESTS = [f"Nobody knows how many boats were built beside river number {i}, for the book that held "
         "the answer was lost in the year of the great flood." for i in range(20)]


@pytest.fixture(scope="module")
def clean() -> Dataset:
    """120 texts of which no two are near duplicates, each of one line, some with quotes."""
    words = [f"word{i}" for i in range(300)]
    texts = [f"{text} It's said that {' '.join(words[i * 2:i * 2 + 30])}."
             for i, text in enumerate(tiny.texts())]
    made = Dataset.from_dict({"text": texts, "document": [f"d{i}" for i in range(120)],
                              "source": ["made"] * 120})
    return data.with_card(made, data.Card("made", {}))


@pytest.fixture(scope="module")
def dirty(clean) -> Dataset:
    return curation.plant(clean, GERMAN, TESTS, each=0.12)


def test_every_kind_is_there_as_often_as_asked(dirty):
    planted = dirty["planted"][:]
    kinds = {*DIRT, FOREIGN, LEAKED}
    assert {kind: planted.count(kind) for kind in kinds} == dict.fromkeys(kinds, 14)
    assert planted.count(CLEAN) == 120 - 3 * 14


def test_the_truth_is_the_clean_text_or_nothing(clean, dirty):
    originals = clean["text"][:]
    for i, row in enumerate(dirty):
        if i < len(originals):
            assert row["truth"] == originals[i]
            assert (row["text"] == row["truth"]) == (row["planted"] == CLEAN)
        else:
            assert row["truth"] is None


def test_the_same_seed_plants_the_same_dirt(clean, dirty):
    again = curation.plant(clean, GERMAN, TESTS, each=0.12)
    assert data.card(again).sha256 == data.card(dirty).sha256
    other = curation.plant(clean, GERMAN, TESTS, each=0.12, seed=1)
    assert data.card(other).sha256 != data.card(dirty).sha256


@pytest.mark.parametrize("each", [0.0, 0.4])
def test_an_impossible_share_is_refused(clean, each):
    with pytest.raises(DataError, match="no possible share"):
        curation.plant(clean, each=each)


def test_the_pipeline_finds_what_it_is_made_to_find(dirty):
    steps = [*curation.standard(TESTS)]
    grades = curation.grade(curation.curate(dirty, steps), dirty).set_index("kind")
    found = grades["recall"]
    assert (found.drop(["word salad", CLEAN]) >= 0.8).all(), found
    assert found["word salad"] == 0  # no rule of thumb sees it: that takes a score
    assert found[CLEAN] >= 0.9
    assert (grades["precision"].dropna() >= 0.8).all(), grades


@pytest.mark.parametrize("missing", ["encoding", "markup", "exact duplicates", "language",
                                     "near duplicates", "decontamination"])
def test_without_its_step_a_kind_is_not_found(dirty, missing):
    steps = [step for step in curation.standard(TESTS) if step.name != missing]
    kinds = [name for name, kind in DIRT.items() if kind.step == missing]
    kinds += {"language": [FOREIGN], "decontamination": [LEAKED]}.get(missing, [])
    grades = curation.grade(curation.curate(dirty, steps), dirty).set_index("kind")
    if missing == "exact duplicates":  # the near ones' step sees them too
        assert grades["recall"]["exact duplicate"] == 1
        assert grades["touched"]["exact duplicate"] == 0
    elif missing == "language":  # whose stop words are English
        assert grades["touched"][FOREIGN] == 0
    else:
        assert (grades["recall"][kinds] < 0.2).all()


def test_a_pipeline_that_drops_everything_is_graded_so(dirty):
    step = Step("heuristics", lambda texts: [Drop("all")] * len(texts))
    grades = curation.grade(curation.curate(dirty, [step]), dirty).set_index("kind")
    assert grades["recall"]["word salad"] == 1
    assert grades["recall"][CLEAN] == grades["recall"]["HTML"] == 0
    symbols = grades.loc["numbers and symbols"]
    assert symbols["touched"] == len(dirty) - 14
    assert symbols["precision"] == pytest.approx(1 - 78 / (len(dirty) - 14))


def test_rows_of_which_nobody_knows_the_truth_do_not_count(dirty):
    rows = [{"text": f"Noch etwas: {text}", "document": "x", "source": "made", "planted": None,
             "truth": None} for text in GERMAN]
    unknown = data.with_card(Dataset.from_list(rows, dirty.features), data.card(dirty))
    mixed = data.combine("mixed", [dirty, unknown])
    graded = curation.grade(curation.curate(mixed, curation.standard(TESTS)), mixed)
    alone = curation.grade(curation.curate(dirty, curation.standard(TESTS)), dirty)
    assert_frame_equal(graded, alone)


def test_copies_are_exact_or_near_and_the_pipeline_leaves_one(clean):
    copied = clean["text"][:3]
    whole = curation.plant_copies(clean, copied, exact=4, near=5)
    assert len(whole) == 120 + 3 * 9
    assert whole["text"][:120] == clean["text"][:]
    exact = curation.curate(whole, [curation.exact_duplicates()])
    assert len(exact.dropped) >= 12
    both = curation.curate(whole, [curation.exact_duplicates(), curation.near_duplicate_texts()])
    assert both.kept["text"][:] == clean["text"][:]
