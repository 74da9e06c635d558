"""The real domain tasks: their sizes, what simple baselines earn, and that nothing leaks."""

from collections import Counter

import pytest

from fmcourse import data, evaluate, sources
from fmcourse.data.near_duplicates import features, jaccard

pytestmark = pytest.mark.data


def sizes(parts) -> dict[str, int]:
    return {name: len(part) for name, part in parts.items()}


def test_medical_questions_have_their_answers_in_every_part():
    parts = data.medical_questions()
    assert sizes(parts) == {"train": 300, "validation": 50, "test": 150}
    for part in parts.values():
        counts = Counter(part["completion"][:])
        assert counts["yes"] / len(part) == pytest.approx(0.552, abs=0.02)
        assert counts["maybe"] / len(part) == pytest.approx(0.11, abs=0.02)


def test_no_medical_abstract_is_in_two_parts():
    abstracts = [{prompt.partition("\n\n")[0] for prompt in part["prompt"][:]}
                 for part in data.medical_questions().values()]
    assert len(set().union(*abstracts)) == sum(map(len, abstracts)) == 500
    assert max(map(len, set().union(*abstracts))) <= 900


def test_always_yes_looks_half_right():
    answers = data.medical_questions()["test"]["completion"][:]
    rates = evaluate.label_rates(["yes"] * len(answers), answers).set_index("measure")["value"]
    assert rates["accuracy"] > 0.5
    assert rates["macro_f1"] < 0.25


def test_the_real_cases_are_whole_and_without_markup():
    cases = sources.load("multi-lexsum")
    assert len(cases) == len(set(cases["text"][:])) == 868
    assert not any("</" in text for text in (*cases["text"][:], *cases["summary"][:]))


def test_case_summaries_are_short():
    parts = data.case_summaries()
    assert sizes(parts) == {"train": pytest.approx(500, abs=25), "test": pytest.approx(140, abs=15),
                            "validation": pytest.approx(140, abs=15)}
    for part in parts.values():
        for row in part:
            assert 60 <= len(row["completion"]) <= 400
            assert len(row["prompt"]) <= 1200 + 50
            assert row["prompt"].startswith(row["lead"])
            assert row["prompt"].split("\n\n")[0][-1] in ".!?\"')]”’"


@pytest.mark.parametrize("column", ["prompt", "completion"])
def test_no_held_out_case_is_nearly_in_train(column):
    """By comparing every other one of test with all of train: no hashing here."""
    parts = data.case_summaries()
    train, test = ([features(text) for text in parts[part][column][:]]
                   for part in ("train", "test"))
    near = (jaccard(own, other) for own in test[::2] for other in train
            if 0.6 <= len(own) / len(other) <= 1.7)
    assert max(near) < 0.7


def test_the_first_sentence_is_a_strong_baseline():
    test = data.case_summaries()["test"]
    lead = evaluate.rouge_l(test["lead"][:], test["completion"][:]).set_index("measure")
    assert 0.25 < lead.loc["f1", "value"] < 0.5


def test_every_answer_is_in_house_style_and_no_prompt_is():
    parts = data.house_style()
    assert sizes(parts) == {"train": 2000, "validation": 100, "test": 300}
    data.check_no_leak(parts)
    assert not set(parts["train"]["fact"][:]) & set(parts["test"]["fact"][:])
    for part in parts.values():
        rates = evaluate.style_rates(part["completion"][:], part)
        assert rates["rate"].tolist() == [1.0] * len(rates)
    echoed = evaluate.style_rates(part["prompt"][:], part).set_index("measure")["rate"]
    assert (echoed["content kept"], echoed["all rules"]) == (1, 0)
