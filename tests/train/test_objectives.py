"""A packed document is trained as if it were alone; each objective sees what it may and no more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tiny
import torch

from fmcourse.errors import ModelError
from fmcourse.train.objectives import attention_mask, objective


@pytest.fixture(scope="module")
def causal():
    return tiny.model("causal", seed=1, scale=4)


@pytest.fixture(scope="module")
def masked():
    return tiny.model("masked", seed=1, scale=4)


def document(length: int, seed: int) -> list[int]:
    """The opening token and `length` - 1 random ones."""
    draw = torch.Generator().manual_seed(seed)
    return [0, *torch.randint(5, 384, (length - 1,), generator=draw).tolist()]


def packed(*documents: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """One row of documents, one target more than inputs: (1, time + 1) and (1, time)."""
    tokens = [token for each in documents for token in each] + [0]
    segments = [n for n, each in enumerate(documents) for _ in each]
    return torch.tensor([tokens]), torch.tensor([segments], dtype=torch.int32)


def states(model, tokens, segments):
    """Hidden states of the network's body under the objective's own mask. (time, width)"""
    with torch.no_grad():
        return model.network.model(
            input_ids=tokens[:, :-1],
            attention_mask=attention_mask(segments, model.objective == "causal", torch.float32),
        ).last_hidden_state[0]


@pytest.mark.parametrize("causal_only", [True, False])
def test_the_mask_by_hand(causal_only):
    segments = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 2, 2, 3]])
    mask = attention_mask(segments, causal_only, torch.float32)
    assert mask.shape == (2, 1, 5, 5)
    for row in range(2):
        for i in range(5):
            for j in range(5):
                seen = segments[row, i] == segments[row, j] and (j <= i or not causal_only)
                assert mask[row, 0, i, j] == (0 if seen else torch.finfo(torch.float32).min)


def test_one_document_has_the_loss_of_transformers(causal):
    tokens, segments = packed(document(20, 0))
    loss = objective(causal)(tokens, segments)["loss"]
    right = causal.network(input_ids=tokens, labels=tokens).loss  # plain causal attention
    torch.testing.assert_close(loss, right, atol=1e-5, rtol=1e-5)


def test_several_rows_are_averaged_over_positions(causal):
    rows = [packed(document(12, seed)) for seed in range(3)]
    one_by_one = [objective(causal)(*row)["loss"] for row in rows]
    together = objective(causal)(*(torch.cat(part) for part in zip(*rows, strict=True)))["loss"]
    torch.testing.assert_close(together, sum(one_by_one) / 3, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_a_packed_document_is_as_if_alone(kind, request):
    model = request.getfixturevalue(kind)
    lengths = (9, 14, 8)
    documents = [document(length, seed) for seed, length in enumerate(lengths)]
    together = states(model, *packed(*documents)).split(lengths)
    for each, seen in zip(documents, together, strict=True):
        alone = states(model, *packed(each))
        torch.testing.assert_close(seen, alone, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_changing_one_document_changes_no_other(kind, request):
    model = request.getfixturevalue(kind)
    before = states(model, *packed(document(9, 0), document(14, 1), document(8, 2)))
    after = states(model, *packed(document(9, 0), document(14, 7), document(8, 2)))
    assert torch.equal(before[:9], after[:9])
    assert torch.equal(before[23:], after[23:])
    assert not torch.allclose(before[10:23], after[10:23])
    tokens, segments = packed(document(9, 0), document(14, 1), document(8, 2))
    leaky = states(model, tokens, torch.zeros_like(segments))  # the test would notice a leak
    assert not torch.allclose(leaky[23:], before[23:])


def test_a_packed_row_has_the_mean_loss_of_its_documents(causal):
    documents = [document(9, 0), document(14, 1), document(8, 2)]
    loss = objective(causal)(*packed(*documents))["loss"]
    alone = [objective(causal)(*packed(each))["loss"] * len(each) for each in documents]
    torch.testing.assert_close(loss, sum(alone) / 31, atol=1e-5, rtol=1e-5)


def test_a_causal_model_does_not_see_what_comes(causal):
    first = document(16, 0)
    second = [*first[:10], *document(7, 5)[1:]]
    before, after = (states(causal, *packed(each)) for each in (first, second))
    assert torch.equal(before[:10], after[:10])
    assert not torch.allclose(before[10:], after[10:])


def masked_loss(model, tokens, hidden):
    with torch.no_grad():
        segments = torch.zeros(1, len(tokens), dtype=torch.int32)
        return objective(model)(torch.tensor([[*tokens, 0]]), segments, hidden[None])["loss"]


@pytest.mark.parametrize("changed", [3, 12])
def test_a_masked_model_sees_both_sides(masked, changed):
    tokens, hidden = document(16, 0), torch.zeros(16, dtype=torch.bool)
    hidden[8] = True
    before = masked_loss(masked, tokens, hidden)
    tokens[changed] += 1 if tokens[changed] < 383 else -1
    assert not torch.isclose(masked_loss(masked, tokens, hidden), before, rtol=1e-6, atol=1e-6)


def test_a_masked_model_does_not_see_what_it_must_guess(masked):
    tokens, hidden = document(16, 0), torch.zeros(16, dtype=torch.bool)
    hidden[[4, 8]] = True
    with torch.no_grad():
        ids = torch.tensor([tokens])
        logits = masked.network(input_ids=ids.masked_fill(hidden, 2)).logits[0, hidden]
    for guess in (70, 200):  # what stands there decides the label, never the prediction
        tokens[8] = guess
        labels = torch.tensor([tokens])[0, hidden]
        right = torch.nn.functional.cross_entropy(logits, labels)
        torch.testing.assert_close(masked_loss(masked, tokens, hidden), right, atol=1e-5, rtol=1e-5)


def test_a_row_with_nothing_hidden_is_worth_nothing(masked):
    assert masked_loss(masked, document(16, 0), torch.zeros(16, dtype=torch.bool)).item() == 0


def test_gradients_reach_every_weight(causal, masked):
    hidden = torch.rand(1, 16, generator=torch.Generator().manual_seed(0)) < 0.5
    for model, more in ((causal, ()), (masked, (hidden,))):
        model = model.copy()
        objective(model)(*packed(document(16, 0)), *more)["loss"].backward()
        idle = [name for name, p in model.network.named_parameters()
                if p.grad is None or not p.grad.abs().sum() > 0]
        assert idle == []


def test_an_architecture_without_known_parts_is_refused():
    stranger = SimpleNamespace(network=torch.nn.Linear(2, 2), objective="causal")
    with pytest.raises(ModelError, match="Linear"):
        objective(stranger)
