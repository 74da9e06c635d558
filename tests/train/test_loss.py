"""The chunked loss is PyTorch's cross-entropy, in value and in every gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from fmcourse.train import linear_cross_entropy

POSITIONS, WIDTH, VOCABULARY = 37, 12, 50


def inputs(bias: bool = True, dtype: torch.dtype = torch.float32):
    """States, output layer and labels; a third of the labels do not count."""
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(POSITIONS, WIDTH, generator=draw, dtype=torch.float64)
    weight = torch.randn(VOCABULARY, WIDTH, generator=draw, dtype=torch.float64)
    offset = torch.randn(VOCABULARY, generator=draw, dtype=torch.float64) if bias else None
    labels = torch.randint(VOCABULARY, (POSITIONS,), generator=draw)
    labels[::3] = -100
    return [None if t is None else t.to(dtype).requires_grad_()
            for t in (hidden, weight, offset)], labels


def both(tensors, labels, chunk, scale=1.0):
    """Our loss and gradients, and PyTorch's."""
    hidden, weight, bias = tensors
    wanted = [t for t in tensors if t is not None]
    ours = linear_cross_entropy(hidden, weight, labels, bias, chunk) * scale
    theirs = cross_entropy(linear(hidden, weight, bias).float() if hidden.dtype != torch.float64
                           else linear(hidden, weight, bias), labels) * scale
    return (ours, torch.autograd.grad(ours, wanted)), (theirs, torch.autograd.grad(theirs, wanted))


@pytest.mark.parametrize("chunk", [1, 7, 37, 512])
@pytest.mark.parametrize("bias", [True, False])
def test_it_equals_pytorch_in_float32(bias, chunk):
    tensors, labels = inputs(bias)
    (loss, gradients), (right, right_gradients) = both(tensors, labels, chunk, scale=3.0)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, right, atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(gradients, right_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_it_equals_pytorch_under_autocast():
    tensors, labels = inputs()
    (loss, _), (right, right_gradients) = both(tensors, labels, 8)
    with torch.autocast("cpu", torch.bfloat16):
        hidden, weight, bias = tensors
        low = linear_cross_entropy(hidden, weight, labels, bias, 8)
        assert low.dtype == torch.float32
    low_gradients = torch.autograd.grad(low, tensors)
    torch.testing.assert_close(low, right, atol=2e-2, rtol=1e-2)
    assert not torch.equal(low, loss)  # bfloat16 was really used
    for ours, theirs in zip(low_gradients, right_gradients, strict=True):
        assert ours.dtype == torch.float32
        assert (ours - theirs).norm() < 0.02 * theirs.norm()


def test_its_gradients_are_those_of_finite_differences():
    tensors, labels = inputs(dtype=torch.float64)
    tensors = [t[:6].detach().requires_grad_() if t.shape[0] == POSITIONS else t for t in tensors]
    assert torch.autograd.gradcheck(
        lambda h, w, b: linear_cross_entropy(h, w, labels[:6], b, chunk=4), tensors)


def test_large_logits_do_not_overflow():
    hidden = torch.tensor([[1000.0, 0.0]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert linear_cross_entropy(hidden, weight, torch.tensor([0])).item() == 0
    assert linear_cross_entropy(hidden, weight, torch.tensor([1])).item() == 2000


@pytest.mark.parametrize("gradients", [True, False])
def test_labels_that_do_not_count_change_nothing(gradients):
    (hidden, weight, _), labels = inputs(bias=False)
    counted = labels != -100
    with torch.set_grad_enabled(gradients):
        whole = linear_cross_entropy(hidden, weight, labels)
        part = linear_cross_entropy(hidden[counted], weight, labels[counted])
        nothing = linear_cross_entropy(hidden, weight, torch.full_like(labels, -100))
    torch.testing.assert_close(whole, part)
    assert nothing.item() == 0


def test_without_gradients_it_is_the_same_number():
    (hidden, weight, bias), labels = inputs()
    with torch.no_grad():
        quiet = linear_cross_entropy(hidden, weight, labels, bias)
    torch.testing.assert_close(quiet, linear_cross_entropy(hidden, weight, labels, bias).detach())


def test_only_the_output_layer_may_be_trained():
    (hidden, weight, _), labels = inputs(bias=False)
    linear_cross_entropy(hidden.detach(), weight, labels).backward()
    assert weight.grad.abs().sum() > 0
    assert hidden.grad is None


@pytest.mark.parametrize("trained", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1)])
def test_gradients_nobody_asked_for_are_not_made(trained):
    tensors, labels = inputs()
    tensors = [t.detach().requires_grad_(i in trained) for i, t in enumerate(tensors)]
    hidden, weight, bias = tensors
    loss = linear_cross_entropy(hidden, weight, labels, bias, chunk=8)
    made = loss.grad_fn.saved_tensors[:3]
    assert tuple(i for i, gradient in enumerate(made) if gradient is not None) == trained
    wanted = [tensors[i] for i in trained]
    right = torch.autograd.grad(cross_entropy(linear(*tensors), labels), wanted)
    for ours, theirs in zip(torch.autograd.grad(loss, wanted), right, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
