import numpy as np
import pytest
import torch

from fmcourse.errors import DataError, ModelError
from fmcourse.evaluate import (
    favourite_accuracy,
    masked_accuracy,
    next_token_accuracy,
    one_blank_accuracy,
)


def test_next_token_accuracy_counts_first_guesses(causal, texts):
    hits = []
    for text in texts:
        ids = causal.tokenizer(text, add_special_tokens=False).input_ids
        for begin in range(0, len(ids), 64):
            row = [causal.tokenizer.bos_token_id, *ids[begin:begin + 64]]
            with torch.no_grad():
                guess = causal.network(torch.tensor([row[:-1]])).logits[0].argmax(-1)
            hits += (guess == torch.tensor(row[1:])).tolist()
    found = next_token_accuracy(causal, texts, context=64)
    assert found == pytest.approx(np.mean(hits))
    assert found == next_token_accuracy(causal, texts[::-1], context=64, batch=3)


class Oracle(torch.nn.Module):
    """Answers what it was told at each hidden place, and keeps what it was shown."""

    def __init__(self, network, mask, answer):
        super().__init__()
        self.config, self.mask, self.answer, self.shown = network.config, mask, answer, []
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids, attention_mask):
        self.shown += [row[seen.bool()].tolist() for row, seen in
                       zip(input_ids, attention_mask, strict=True)]
        logits = torch.zeros(*input_ids.shape, self.config.vocab_size)
        logits[..., self.answer] = 1
        return type("Output", (), {"logits": logits})


def test_masked_accuracy_hides_the_share_and_counts_only_hidden(masked, tokenizer):
    model = masked.copy()
    token, other = tokenizer(" a", add_special_tokens=False).input_ids, "."
    model.network = Oracle(masked.network, tokenizer.mask_token_id, token[0])
    texts = [" a" * 40, " a" * 100, other]
    # Every hidden token of the first two is guessed, the only one of the third is not.
    found = masked_accuracy(model, texts, share=0.25, context=51)
    assert found == pytest.approx((10 + 12 + 12) / (10 + 12 + 12 + 1))
    hidden = [row.count(tokenizer.mask_token_id) for row in model.network.shown]
    assert sorted(hidden) == [1, 10, 12, 12]
    assert all(row[0] == tokenizer.bos_token_id for row in model.network.shown)


def test_masked_accuracy_depends_on_the_seed_not_on_the_batch(masked, texts):
    found = masked_accuracy(masked, texts, seed=3, context=64)
    assert found == masked_accuracy(masked, texts, seed=3, context=64, batch=1)
    assert 0 <= found <= 1
    shown = []
    for seed in (3, 4):
        model = masked.copy()
        model.network = Oracle(masked.network, model.tokenizer.mask_token_id, 0)
        masked_accuracy(model, texts, seed=seed, context=64)
        shown.append(model.network.shown)
    assert shown[0] != shown[1]


def test_padding_changes_no_guess(masked, texts):
    """Equal to each text alone, weighted by its hidden tokens."""
    alone = [masked_accuracy(masked, [text], share=1.0) for text in texts]
    counts = [len(masked.tokenizer(text, add_special_tokens=False).input_ids) for text in texts]
    together = masked_accuracy(masked, texts, share=1.0)
    assert together == pytest.approx(np.average(alone, weights=counts))


def test_favourite_accuracy_is_the_share_of_the_commonest_token(tokenizer):
    the, = tokenizer(" the", add_special_tokens=False).input_ids

    class Train:
        ids = np.array([0, 7, the, the, 9], dtype=np.uint16)

    assert favourite_accuracy(Train, [" the" * 3 + " a"], tokenizer) == pytest.approx(3 / 4)


def test_one_blank_hides_one_token_and_all_that_follows_when_asked(masked, texts):
    shown = {}
    for right_side in (True, False):
        model = masked.copy()
        model.network = Oracle(masked.network, model.tokenizer.mask_token_id, 0)
        one_blank_accuracy(model, texts, right_side, seed=1, context=64)
        shown[right_side] = sorted(model.network.shown)
        assert all(row.count(model.network.mask) == 1 for row in model.network.shown)
    assert all(row[-1] == model.network.mask for row in shown[False])
    cut = [row[:row.index(model.network.mask) + 1] for row in shown[True]]
    assert sorted(cut) == shown[False]  # the same blanks


def test_mistakes_are_explained(causal, masked, texts):
    with pytest.raises(ModelError, match="masked"):
        masked_accuracy(causal, texts)
    with pytest.raises(ModelError, match="causal"):
        next_token_accuracy(masked, texts)
    for bad in ({"share": 0}, {"share": 1.5}, {"context": 1}):
        with pytest.raises(DataError, match="hidden"):
            masked_accuracy(masked, texts, **bad)
    with pytest.raises(DataError, match="empty"):
        masked_accuracy(masked, [""])
