"""The schedule, who gets which optimiser, and a state that can be put away and taken up."""

from __future__ import annotations

import copy

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import LambdaLR

from fmcourse.train import make_optimizer, warmup_stable_decay
from fmcourse.train.optimizer import MuonWithAdamW


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 500), st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_schedule_rises_stays_and_falls(steps, warmup, decay):
    factor = warmup_stable_decay(steps, warmup, decay)
    values = [factor(step) for step in range(steps)]
    peak = values.index(max(values))
    assert all(0 < value <= 1 for value in values)
    assert values[:peak + 1] == sorted(values[:peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert factor(steps) == 0
    assert sum(value == 1 for value in values) >= steps * (1 - warmup - decay) - 2


def test_the_schedule_by_hand():
    factor = warmup_stable_decay(10, warmup=0.2, decay=0.4)
    assert [round(factor(step), 3) for step in range(10)] == [
        0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def names(network, parameters) -> set[str]:
    wanted = {id(p) for p in parameters}
    return {name for name, p in network.named_parameters() if id(p) in wanted}


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_matrices_go_to_muon_and_all_else_to_adamw(objective):
    network = tiny.model(objective).network
    optimizer = make_optimizer(network, "muon", 1e-3, 0.1)
    muon = names(network, (p for g in optimizer.muon.param_groups for p in g["params"]))
    adamw = names(network, (p for g in optimizer.adamw.param_groups for p in g["params"]))
    assert muon | adamw == {name for name, _ in network.named_parameters()}
    assert not muon & adamw
    assert all(dict(network.named_parameters())[name].ndim == 2 for name in muon)
    assert any("mlp" in name for name in muon)
    assert not any("embed" in name or "norm" in name for name in muon)


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_norms_and_biases_do_not_decay(kind):
    network = tiny.model("masked").network
    for group in make_optimizer(network, kind, 1e-3, 0.1).param_groups:
        flat = {p.ndim < 2 for p in group["params"]}
        assert flat == {group["weight_decay"] == 0}


def test_frozen_weights_are_left_out():
    network = tiny.model().network
    network.requires_grad_(False)
    network.model.norm.requires_grad_(True)
    optimizer = make_optimizer(network, "muon", 1e-3, 0.1)
    assert not isinstance(optimizer, MuonWithAdamW)  # no matrix is left for Muon
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 1


def train(network, optimizer, schedule, steps, seed):
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        tokens = torch.randint(384, (2, 12), generator=draw)
        network(input_ids=tokens, labels=tokens).loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def fresh(network, kind):
    optimizer = make_optimizer(network, kind, 1e-2, 0.1)
    return optimizer, LambdaLR(optimizer, warmup_stable_decay(20, 0.1, 0.3))


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_a_stored_state_continues_identically(tmp_path, kind):
    straight = tiny.model(seed=1).network
    optimizer, schedule = fresh(straight, kind)
    train(straight, optimizer, schedule, 4, seed=0)
    resumed = copy.deepcopy(straight)
    torch.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()},
               tmp_path / "state.pt")
    train(straight, optimizer, schedule, 4, seed=1)

    stored = torch.load(tmp_path / "state.pt", weights_only=True)  # plain tensors and numbers
    optimizer, schedule = fresh(resumed, kind)
    optimizer.load_state_dict(stored["optimizer"])
    schedule.load_state_dict(stored["schedule"])
    forgetful = copy.deepcopy(resumed)
    train(resumed, optimizer, schedule, 4, seed=1)
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    assert optimizer.param_groups[0]["lr"] == schedule.get_last_lr()[0]

    train(forgetful, *fresh(forgetful, kind), 4, seed=1)  # the state does matter
    assert not torch.equal(forgetful.lm_head.weight, straight.lm_head.weight)


def test_the_schedule_moves_both_optimisers():
    network = tiny.model().network
    optimizer, schedule = fresh(network, "muon")
    train(network, optimizer, schedule, 15, seed=0)
    rates = {group["lr"] for group in [*optimizer.muon.param_groups, *optimizer.adamw.param_groups]}
    assert len(rates) == 1
    assert rates.pop() == pytest.approx(1e-2 * 5 / 6)
    assert len(optimizer.state) == len(list(network.parameters()))
    assert optimizer.step(lambda: 2.5) == 2.5
