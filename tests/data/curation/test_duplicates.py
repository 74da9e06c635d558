"""Copies go and the first stays; what a test asks goes, and nothing that only resembles it."""

from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data import curation
from fmcourse.data.curation import Drop

SENTENCE = ("A heron stands in the shallow water by the old mill and waits for a fish that is "
            "foolish enough to swim past.")
QUESTION = "Who was the first to cross the river Severn on foot?"


def judged(step, *texts):
    return [decision if isinstance(decision, str) else decision.why
            for decision in step.decide(list(texts))]


def test_exact_copies_are_equal_but_for_case_and_spaces():
    same = "an earlier text, word for word"
    assert judged(curation.exact_duplicates(), "One  two.", "one\ntwo.", "One two", "ONE TWO.") == [
        "One  two.", same, "One two", same]


def test_near_copies_name_their_original():
    copy = SENTENCE.replace("old", "ancient")
    first, other, second = curation.near_duplicate_texts(0.7).decide([SENTENCE, "no", copy])
    assert (first, other) == (SENTENCE, "no")
    assert second == Drop("nearly an earlier text", SENTENCE[:80])


def test_texts_that_hold_a_test_item_go_whatever_stands_around_it_and_how_it_is_written():
    step = curation.decontaminated([SENTENCE, QUESTION])
    leak = "in an evaluation set"
    assert judged(step, f"Before. {SENTENCE.upper()} After.", SENTENCE[:75], f"Q: {QUESTION} A: me",
                  SENTENCE[:40], "Who was the first to cross the river Thames on foot?") == [
        leak, leak, leak, SENTENCE[:40], "Who was the first to cross the river Thames on foot?"]


def test_the_shared_words_are_named():
    (drop,) = curation.decontaminated([QUESTION]).decide([QUESTION])
    assert drop.found == "who was the first to cross the river severn on foot"


def test_test_items_of_a_few_words_cannot_be_looked_for():
    step = curation.decontaminated(["The river Severn.", ""])
    assert judged(step, "The river Severn is long.") == ["The river Severn is long."]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=10, max_size=30), max_size=6),
       st.integers(8, 13))
def test_it_agrees_with_looking_for_every_run(texts, run):
    written = [" ".join(words) for words in texts]
    tests, rest = written[:2], written[2:]
    found = judged(curation.decontaminated(tests, run), *rest)
    for text, decision in zip(rest, found, strict=True):
        shares = any(" ".join(words[i:i + min(run, len(words))]) in text
                     for words in map(str.split, tests)
                     for i in range(len(words) - min(run, len(words)) + 1))
        assert (decision == "in an evaluation set") == shares
