"""Log-probabilities of tokens, and the cross-entropy made of them."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from fmcourse.errors import DataError
from fmcourse.train.losses import linear_cross_entropy, masked_cross_entropy, token_log_probs

BATCH, TIME, VOCABULARY = 5, 30, 11  # 150 positions: more than are worked on at a time


def batch(dtype: torch.dtype = torch.float32, seed: int = 0):
    """Logits, tokens, and a mask of two thirds."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(BATCH, TIME, VOCABULARY, generator=draw, dtype=torch.float64) * 4
    tokens = torch.randint(VOCABULARY, (BATCH, TIME), generator=draw)
    return logits.to(dtype), tokens, torch.rand(BATCH, TIME, generator=draw) < 2 / 3


def test_by_hand():
    logits = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0]]])
    found = token_log_probs(logits, torch.tensor([[1, 0]]))
    torch.testing.assert_close(found, torch.tensor([[math.log(1 / 2), math.log(3 / 4)]]))
    assert masked_cross_entropy(logits, torch.tensor([[1, 0]])).item() == pytest.approx(
        -(math.log(1 / 2) + math.log(3 / 4)) / 2)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_bit_is_that_of_trl(dtype, temperature):
    from trl.trainer.utils import selective_log_softmax

    logits, tokens, mask = batch(dtype)
    for counts in (None, mask):
        theirs = selective_log_softmax(logits, tokens, temperature, counts)
        assert torch.equal(token_log_probs(logits, tokens, counts, temperature), theirs)


def test_bfloat16_is_read_as_float32():
    from trl.trainer.utils import selective_log_softmax

    logits, tokens, mask = batch(torch.bfloat16)
    found = token_log_probs(logits, tokens, mask)
    assert found.dtype == torch.float32
    assert torch.equal(found, selective_log_softmax(logits.float(), tokens, row_mask=mask))
    theirs = selective_log_softmax(logits, tokens, row_mask=mask)  # rounded to eight bits
    torch.testing.assert_close(found, theirs.float(), rtol=2**-7, atol=2**-7)


def test_masked_cross_entropy_is_that_of_pytorch_and_that_of_hidden_states():
    logits, tokens, mask = batch(torch.float64)
    labels = tokens.masked_fill(~mask, -100)
    ours = masked_cross_entropy(logits, tokens, mask)
    torch.testing.assert_close(ours, cross_entropy(logits.flatten(0, 1), labels.flatten()))
    torch.testing.assert_close(ours, linear_cross_entropy(
        logits.flatten(0, 1), torch.eye(VOCABULARY, dtype=torch.float64), labels.flatten()))
    torch.testing.assert_close(masked_cross_entropy(logits, tokens),
                               cross_entropy(logits.flatten(0, 1), tokens.flatten()))


def test_gradients_are_those_of_finite_differences():
    logits, tokens, mask = batch(torch.float64)
    logits, tokens, mask = logits[:2, :4].requires_grad_(), tokens[:2, :4], mask[:2, :4]
    assert torch.autograd.gradcheck(lambda z: token_log_probs(z, tokens, mask, 0.7), logits)
    assert torch.autograd.gradcheck(lambda z: masked_cross_entropy(z, tokens, mask), logits)


def test_an_empty_completion_is_certain_and_has_no_gradient():
    logits, tokens, mask = batch()
    logits.requires_grad_()
    mask[1] = False
    assert token_log_probs(logits, tokens, mask)[1].eq(0).all()
    nothing = masked_cross_entropy(logits, tokens, torch.zeros_like(mask))
    nothing.backward()
    assert nothing.item() == 0
    assert logits.grad.eq(0).all()


def test_large_logits_do_not_overflow():
    logits = torch.tensor([[1e4, -1e4]])
    assert token_log_probs(logits, torch.tensor([1])).tolist() == [-2e4]


def test_one_position_more_of_tokens_than_of_logits_is_refused():
    logits, tokens, _ = batch()
    with pytest.raises(DataError, match=r"tokens \(5, 30\).* positions \(5, 29\)"):
        token_log_probs(logits[:, :-1], tokens)
