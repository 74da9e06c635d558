"""Judging an answer: each kind of verdict, and what it does and does not say."""

import numpy as np
import pytest
import torch

from fmcourse.classroom.check import DIFFERS, FAILS, MISTAKE, RIGHT, UNWRITTEN, Exercise, judge
from fmcourse.errors import DataError


def mean(values, mask):
    return (values * mask).sum() / mask.sum()


def refuse(text):
    if not text:
        raise DataError("empty")
    return len(text)


MEAN = Exercise(
    "mean_kept", mean,
    {"all are kept": (torch.tensor([1.0, 2.0]), torch.tensor([1, 1])),
     "one is masked": (torch.tensor([1.0, 5.0, 3.0]), torch.tensor([1, 0, 1]))},
    {"You divided by all.": lambda values, mask: (values * mask).sum() / len(values),
     "You ignored the mask.": lambda values, mask: values.mean()},
    ("Which ones count?", "Divide by the sum of the mask."))
REFUSE = Exercise("refuse", refuse, {"a text": ("ab",), "nothing": ("",)},
                  {"You let an empty text through.": len}, ("", ""))


@pytest.mark.parametrize("answer", [
    lambda values, mask: values[mask.bool()].mean(),
    lambda values, mask: float(np.average(values, weights=mask)),
])
def test_any_right_program_passes(answer):
    assert judge(MEAN, answer).kind == RIGHT


def test_a_mistake_is_recognised_though_it_is_written_otherwise():
    verdict = judge(MEAN, lambda values, mask: torch.dot(values, mask.float()) / values.numel())
    assert (verdict.kind, verdict.says) == (MISTAKE, "You divided by all.")


def test_a_mistake_must_agree_on_every_case():
    """One that agrees on the wrong case only is not that mistake."""
    verdict = judge(MEAN, lambda values, mask: values.mean() if len(values) == 3 else values[0])
    assert verdict.kind == DIFFERS


def test_the_first_case_that_differs_is_shown_with_its_input_and_without_the_right_value():
    verdict = judge(MEAN, lambda numbers, kept: (numbers * kept).max())
    assert verdict.kind == DIFFERS
    assert "it is 2, which is too high" in verdict.says
    assert "numbers = float32 tensor of shape (2,): [1.0, 2.0]" in verdict.where
    assert "1.5" not in verdict.says + verdict.where


def test_a_wrong_type_and_a_wrong_shape_are_named():
    assert "None (is there a `return`?)" in judge(MEAN, lambda values, mask: None).says
    assert "it is a tensor, where a number" in judge(MEAN, lambda values, mask: values * mask).says


def test_a_stub_is_not_written_yet():
    def stub(values, mask):
        raise NotImplementedError()

    assert judge(MEAN, stub).kind == UNWRITTEN


def test_an_error_of_pytorchs_is_no_stub():
    def unfit(values, mask):
        raise NotImplementedError('"softmax_kernel" not implemented for Long')

    assert judge(MEAN, unfit).kind == FAILS


def test_an_exception_is_reported_at_the_learners_line_even_from_within_a_library():
    def answer(values, mask):
        kept = values[mask.bool()]
        return torch.cat([kept, torch.zeros(2, 2)])

    verdict = judge(MEAN, answer)
    assert verdict.kind == FAILS
    assert verdict.says.startswith("RuntimeError: ")
    assert "return torch.cat([kept, torch.zeros(2, 2)])" in verdict.where
    assert "fmcourse" not in verdict.says + verdict.where


def test_a_wrong_signature_has_no_line_and_a_clear_message():
    verdict = judge(MEAN, lambda values: 0.0)
    assert verdict.kind == FAILS
    assert "positional argument" in verdict.says


def test_an_exception_can_be_the_right_outcome_and_its_absence_a_mistake():
    assert judge(REFUSE, refuse).kind == RIGHT
    assert judge(REFUSE, len).says == "You let an empty text through."
    other = judge(REFUSE, lambda text: max(2, len(text)))
    assert "accepts what it should refuse with DataError" in other.says


def test_writing_into_an_argument_is_no_right_answer():
    def answer(values, mask):
        values *= mask
        return values.sum() / mask.sum()

    verdict = judge(MEAN, answer)
    assert verdict.kind == DIFFERS
    assert "changed its argument `values`" in verdict.says


def test_answers_cannot_spoil_the_cases_for_each_other():
    def greedy(values, mask):
        values.zero_()
        return torch.tensor(0.0)

    judge(MEAN, greedy)
    assert judge(MEAN, mean).right


def test_random_numbers_are_the_same_in_every_run_and_the_learners_stay_as_they_were():
    drawn = Exercise("drawn", lambda: torch.rand(2), {"": ()}, {}, ("", ""))
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    assert judge(drawn, lambda: torch.rand(2)).right
    assert torch.equal(torch.random.get_rng_state(), before)


class Torn(dict):
    def __contains__(self, key):
        raise KeyError("torn")


@pytest.mark.parametrize("give", [lambda xs: 10**400, lambda xs: xs.append(xs) or xs,
                                  lambda xs: {10**5000: xs}])
def test_a_value_beyond_all_bounds_is_met_with_a_sentence(give):
    total = Exercise("total", lambda xs: float(sum(xs)), {"two": ([1.0, 2.0],)},
                     {"You took the first.": lambda xs: xs[0]}, ("", ""))
    verdict = judge(total, give)
    assert verdict.kind == DIFFERS
    assert "Look at what `total` gives: it " in verdict.says


def test_a_dictionary_of_its_own_kind_that_breaks_is_met_with_a_sentence():
    ways = Exercise("ways", lambda: {"a": 1}, {"": ()}, {}, ("", ""), {"No.": {"a": 2}})
    verdict = judge(ways, lambda: Torn(a=3))
    assert verdict.kind == FAILS
    assert "cannot be compared: KeyError" in verdict.says
