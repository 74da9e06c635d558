"""Distillation from the likeliest tokens: whole where all are kept, never more where some are."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from fmcourse.errors import DataError
from fmcourse.train.losses import distillation_kl, distillation_loss, likeliest, top_k_kl

VOCABULARY = 7


def logits(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype)


def plain(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """The divergence over the whole vocabulary, as one would write it down."""
    p = (teacher / temperature).softmax(-1)
    q = (student / temperature).softmax(-1)
    return temperature**2 * (p * (p.log() - q.log())).sum(-1).mean()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.5, 8), shift=st.floats(-50, 50))
def test_with_all_tokens_kept_it_is_the_divergence_over_the_vocabulary(seed, temperature, shift):
    student, teacher = logits(2, 5, VOCABULARY, seed=seed).unbind(0)
    right = plain(student, teacher, temperature)
    for k in (VOCABULARY, VOCABULARY - 1):  # the last one is the rest
        ours = top_k_kl(student + shift, likeliest(teacher, k, temperature), temperature)
        torch.testing.assert_close(ours, right)
    torch.testing.assert_close(distillation_kl(student, teacher, temperature=temperature), right)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.5, 8))
def test_the_more_is_kept_the_more_is_seen(seed, temperature):
    student, teacher = logits(2, 5, VOCABULARY, seed=seed).unbind(0)
    found = [top_k_kl(student, likeliest(teacher, k, temperature), temperature).item()
             for k in range(1, VOCABULARY + 1)]
    assert all(one <= more + 1e-9 for one, more in pairwise(found))
    assert found[0] >= 0


@pytest.mark.parametrize("k", [1, 3])
def test_the_rest_as_one_outcome_is_trl_s_tail(k):
    from trl.experimental.async_distillation import async_distillation_trainer as trl

    student, teacher = logits(2, 5, VOCABULARY).unbind(0)
    top = likeliest(teacher, k)
    kept = torch.ones_like(top.log_probs, dtype=torch.bool)
    theirs, mask = trl._add_tail_bucket(top.log_probs, kept)
    of_student, _ = trl._add_tail_bucket(student.log_softmax(-1).gather(-1, top.tokens), kept)
    right = trl._jsd_divergence(of_student, theirs, 0, mask).sum(-1).mean()
    torch.testing.assert_close(top_k_kl(student, top), right)
    torch.testing.assert_close(top.rest, theirs[:, -1])


def test_without_the_rest_a_student_would_not_pay_for_nonsense():
    """Why the rest is kept: renormalised over what is kept, the two students would be as good."""
    teacher = likeliest(torch.tensor([[4.0, 3.0, -2.0, -2.0]]), k=2)
    honest, wild = torch.tensor([[4.0, 3.0, -2.0, -2.0]]), torch.tensor([[4.0, 3.0, 6.0, -2.0]])
    renormalised = [students[:, :2].log_softmax(-1) for students in (honest, wild)]
    torch.testing.assert_close(*renormalised)
    assert top_k_kl(wild, teacher) > top_k_kl(honest, teacher) + 1


@pytest.mark.parametrize("k", [1, 3, VOCABULARY - 1, VOCABULARY])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_gradients_are_those_of_finite_differences(k, temperature):
    student, teacher = logits(2, 4, VOCABULARY).unbind(0)
    student.requires_grad_()
    labels, top = torch.tensor([0, 3, 6, 2]), likeliest(teacher, k, temperature)
    assert torch.autograd.gradcheck(
        lambda s: distillation_loss(s, labels, top, temperature, 0.6).total, student)


@pytest.mark.parametrize("k", [2, VOCABULARY])
def test_a_student_that_thinks_as_its_teacher_is_left_alone(k):
    student = logits(4, VOCABULARY).requires_grad_()
    loss = top_k_kl(student, likeliest(student.detach(), k, 2.0), 2.0)
    (slope,) = torch.autograd.grad(loss, student)
    assert loss.abs() < 1e-12
    assert slope.abs().max() < 1e-12


def test_gradients_are_as_large_at_every_temperature():
    student, teacher = logits(2, 3, VOCABULARY).unbind(0)
    student.requires_grad_()
    sizes = [torch.autograd.grad(top_k_kl(student, likeliest(teacher, 5, t), t), student)[0].norm()
             for t in (10.0, 100.0)]
    assert sizes[0] / sizes[1] == pytest.approx(1, rel=0.1)  # T²: without it, a hundred


def test_alpha_weighs_teacher_and_labels():
    student, teacher = logits(2, 5, VOCABULARY).unbind(0)
    labels, top = torch.arange(5), likeliest(teacher, 3, 2.0)
    hard, kl = cross_entropy(student, labels), top_k_kl(student, top, 2.0)
    for alpha in (0.0, 0.25, 1.0):
        found = distillation_loss(student, labels, top, 2.0, alpha)
        torch.testing.assert_close(found.total, alpha * kl + (1 - alpha) * hard)
        torch.testing.assert_close((found.kl, found.hard), (kl, hard))


def test_what_is_nearly_certain_is_no_reason_for_nan():
    teacher = torch.tensor([[1e4, 0.0, -1e4, 3.0]])
    student = torch.tensor([[-1e4, 0.0, 1e4, 3.0]], requires_grad=True)
    for k in (1, 3, 4):
        loss = top_k_kl(student, likeliest(teacher, k, 0.5), 0.5)
        (slope,) = torch.autograd.grad(loss, student)
        assert math.isfinite(loss.item())
        assert slope.isfinite().all()


def test_nothing_is_nothing_and_two_lengths_are_refused():
    top = likeliest(logits(3, VOCABULARY), 2)
    nothing = distillation_loss(torch.zeros(0, VOCABULARY), torch.zeros(0, dtype=torch.long),
                                likeliest(logits(0, VOCABULARY), 2), 2.0, 0.5)
    assert nothing.total == 0
    with pytest.raises(DataError, match="different shapes"):
        top_k_kl(logits(4, VOCABULARY), top)
    assert top_k_kl(logits(3, VOCABULARY, dtype=torch.bfloat16), top).dtype == torch.float64
