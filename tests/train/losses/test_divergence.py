"""KL estimators, the controller of their price, and distillation."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, kl_divergence

from fmcourse.errors import DataError
from fmcourse.train.losses import adaptive_kl_coefficient, distillation_kl, kl_estimate

VOCABULARY = 6


def logits(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype)


def test_estimates_by_hand():
    policy, reference = torch.tensor([0.5, 0.5]).log(), torch.tensor([0.25, 0.75]).log()
    right = {"k1": [math.log(2), -math.log(1.5)],
             "k2": [math.log(2) ** 2 / 2, math.log(1.5) ** 2 / 2],
             "k3": [0.5 - 1 + math.log(2), 1.5 - 1 - math.log(1.5)]}
    for estimator, values in right.items():
        torch.testing.assert_close(kl_estimate(policy, reference, estimator), torch.tensor(values))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_k1_and_k3_are_right_on_average(seed):
    """The mean over all tokens, each as often as the policy writes it."""
    q, p = logits(2, VOCABULARY, seed=seed).log_softmax(-1)
    exact = kl_divergence(Categorical(logits=q), Categorical(logits=p))
    for estimator in ("k1", "k3"):
        torch.testing.assert_close((q.exp() * kl_estimate(q, p, estimator)).sum(), exact)
    assert not torch.isclose((q.exp() * kl_estimate(q, p, "k2")).sum(), exact, rtol=1e-6)


def test_as_losses_their_gradients_differ():
    """Averaged over samples: nothing, that of KL(π ‖ π_ref), and that of KL(π_ref ‖ π)."""
    z = logits(VOCABULARY).requires_grad_()
    q, p = z.log_softmax(-1), logits(VOCABULARY, seed=1).log_softmax(-1)
    reverse = kl_divergence(Categorical(logits=z), Categorical(logits=p))
    forward = kl_divergence(Categorical(logits=p), Categorical(logits=z))
    for estimator, exact in (("k1", 0 * reverse), ("k2", reverse), ("k3", forward)):
        sampled = (q.detach().exp() * kl_estimate(q, p, estimator)).sum()
        ours, right = (torch.autograd.grad(of, z, retain_graph=True)[0] for of in (sampled, exact))
        torch.testing.assert_close(ours, right)


@settings(max_examples=20, deadline=None)
@given(ratio=st.floats(-20, 20), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_k3_is_never_negative(ratio, dtype):
    policy, reference = torch.tensor([0.0, ratio], dtype=dtype)
    k3 = kl_estimate(policy, reference).item()
    assert k3 >= -torch.finfo(dtype).eps * abs(ratio)  # a rounding of the last bit
    assert k3 == pytest.approx(math.expm1(reference.item()) - reference.item(), rel=1e-3, abs=1e-6)


def test_k3_of_a_small_ratio_is_not_lost_in_rounding():
    small = torch.tensor([1e-3])
    assert kl_estimate(0 * small, small).item() == pytest.approx(1e-6 / 2, rel=1e-3)
    assert (small.exp() - 1 - small).item() != pytest.approx(1e-6 / 2, rel=1e-2)  # as usually coded


def test_estimators_gradients_are_those_of_finite_differences():
    q, p = (each.requires_grad_() for each in logits(2, 3, 4).unbind(0))
    for estimator in ("k1", "k2", "k3"):
        assert torch.autograd.gradcheck(lambda q, p, e=estimator: kl_estimate(q, p, e), (q, p))


def test_the_controller_by_hand():
    assert adaptive_kl_coefficient(0.2, kl=6.6, target=6.0) == pytest.approx(0.2 * 1.01)
    assert adaptive_kl_coefficient(0.2, kl=60.0, target=6.0) == pytest.approx(0.2 * 1.02)
    assert adaptive_kl_coefficient(0.2, kl=0.0, target=6.0) == pytest.approx(0.2 * 0.98)
    assert adaptive_kl_coefficient(0.2, kl=6.0, target=6.0) == 0.2
    assert adaptive_kl_coefficient(0.2, 12.0, 6.0, gain=1.0, clip=0.5) == pytest.approx(0.3)


def test_the_controller_finds_the_price_that_holds_the_target():
    price = 0.01
    for _ in range(500):
        price = adaptive_kl_coefficient(price, kl=1 / price, target=4.0)
    assert 1 / price == pytest.approx(4.0, rel=0.01)


@pytest.mark.parametrize("kl", [math.nan, math.inf])
def test_the_controller_refuses_a_kl_that_is_no_number(kl):
    with pytest.raises(DataError, match=f"The measured KL is {kl}"):
        adaptive_kl_coefficient(0.2, kl, 6.0)


def test_distillation_by_hand():
    student, teacher = torch.zeros(1, 1, 2), torch.tensor([[[0.75, 0.25]]]).log()
    forward = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    reverse = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert distillation_kl(student, teacher).item() == pytest.approx(forward)
    assert distillation_kl(student, teacher, direction="reverse").item() == pytest.approx(reverse)


@pytest.mark.parametrize(("direction", "beta"), [("forward", 0), ("reverse", 1)])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_distillation_is_trls_times_the_square_of_the_temperature(direction, beta, temperature):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trl.experimental.gkd import GKDTrainer
    from trl.trainer.distillation_trainer import _chunked_divergence_loss

    student, teacher = logits(2, 3, 4, VOCABULARY)
    mask = logits(3, 4, seed=1) > 0
    ours = distillation_kl(student, teacher, mask, temperature, direction) / temperature**2
    labels = torch.zeros(3, 4, dtype=torch.long).masked_fill(~mask, -100)
    torch.testing.assert_close(ours, GKDTrainer.generalized_jsd_loss(
        student, teacher, labels, beta, temperature), rtol=1e-12, atol=0)
    output = torch.eye(VOCABULARY)
    stable, *_ = _chunked_divergence_loss(student.float(), teacher.float(), output, output, mask,
                                          float(beta), temperature=temperature)
    torch.testing.assert_close(ours.float(), stable, rtol=1e-5, atol=0)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-50, 50))
def test_distillation_is_the_divergence_of_distributions(direction, seed, shift):
    student, teacher = logits(2, 3, 4, VOCABULARY, seed=seed)
    pair = (teacher, student) if direction == "forward" else (student, teacher)
    exact = kl_divergence(*(Categorical(logits=each) for each in pair)).mean()
    ours = distillation_kl(student + shift, teacher, direction=direction)
    torch.testing.assert_close(ours, exact)
    assert ours >= 0
    assert distillation_kl(teacher + shift, teacher, direction=direction).abs() < 1e-12


def test_distillations_gradients_hold_at_every_temperature():
    student, teacher = logits(2, 1, 3, VOCABULARY).unbind(0)
    student.requires_grad_()
    mask = torch.tensor([[1, 0, 1]])
    for direction in ("forward", "reverse"):
        assert torch.autograd.gradcheck(
            lambda s, d=direction: distillation_kl(s, teacher, mask, 2.0, d), student)
    sizes = [torch.autograd.grad(distillation_kl(student, teacher, mask, t), student)[0].norm()
             for t in (10.0, 100.0)]
    assert sizes[0] / sizes[1] == pytest.approx(1, rel=0.1)  # T²: without it, a hundredth


def test_nothing_to_distil_is_nothing():
    student, teacher = logits(2, 3, 4, VOCABULARY, dtype=torch.bfloat16)
    nothing = distillation_kl(student, teacher, torch.zeros(3, 4))
    assert nothing.item() == 0
    assert nothing.dtype == torch.float32


def test_two_vocabularies_are_refused():
    with pytest.raises(DataError, match=r"student \(3, 6\), teacher \(3, 7\)"):
        distillation_kl(torch.zeros(3, 6), torch.zeros(3, 7))
