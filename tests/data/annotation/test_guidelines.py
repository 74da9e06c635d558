"""Guidelines: what is open is read one way by each annotator, and settled by a rule."""

from __future__ import annotations

import numpy as np
import pytest

from fmcourse.data.annotation import AREAS, BETWEEN, Annotator, Guideline, annotate, areas, disputed
from fmcourse.errors import DataError

KINDS = sorted(areas(0).rules) * 20
CAREFUL = [Annotator(str(i), skill=1.0) for i in range(5)]


def test_the_areas_hold_every_service_once():
    services = [service for own in AREAS.values() for service in own]
    assert len(services) == len(set(services)) == 24
    assert set(BETWEEN) <= set(services)
    assert all(area in AREAS and service not in AREAS[area] for service, area in BETWEEN.items())


def test_an_open_question_is_answered_alike_by_one_and_not_by_all():
    vague, clear = areas(8), areas(0)
    held = vague.read_by(5, KINDS)
    assert held.shape == (5, len(KINDS))
    for kind in vague.rules:
        own = held[:, [i for i, name in enumerate(KINDS) if name == kind]]
        assert (own == own[:, :1]).all()  # each sticks to it
        assert set(own[:, 0]) <= set(vague.rules[kind])
    assert (held != clear.meant(KINDS)).any()
    assert (clear.read_by(5, KINDS) == clear.meant(KINDS)).all()
    assert clear.open == ()
    assert vague.settled() == clear


def test_settling_one_question_changes_no_other_reading():
    vague = areas(8)
    before, after = vague.read_by(5, KINDS), vague.settled(["config"]).read_by(5, KINDS)
    config = np.asarray(KINDS) == "config"
    assert (before[:, ~config] == after[:, ~config]).all()
    assert (after[:, config] == vague.rules["config"][0]).all()


def test_only_what_is_read_differently_is_disputed():
    vague = areas(8)
    held = vague.read_by(5, KINDS, seed=1)
    found = disputed(annotate(held, CAREFUL, 6), KINDS)
    one_of_each = {kind: {int(label) for label in held[:, KINDS.index(kind)]}
                   for kind in vague.rules}
    assert {row.kind for row in found.itertuples() if row.disagree > 0} == \
        {kind for kind, labels in one_of_each.items() if len(labels) > 1}
    assert found["disagree"].is_monotonic_decreasing
    assert set(found["pairs"]) == {200}  # 20 items of a kind, 10 pairs of annotators
    assert not len(disputed(annotate(held[:1], CAREFUL[:1], 6), KINDS))


def test_a_misread_guideline_has_so_many_wrong_rules():
    good, bad = areas(0), areas(0).misread(5, seed=2)
    assert sum(good.rules[kind] != bad.rules[kind] for kind in good.rules) == 5
    assert bad == areas(0).misread(5, seed=2) != areas(0).misread(5, seed=3)


def test_it_can_be_read():
    assert str(Guideline(("red", "blue"), {"sky": (1, 0)})) == "sky: blue or red"


@pytest.mark.parametrize("call", [
    lambda: areas(9), lambda: areas(-1), lambda: areas().meant(["gleu"]),
    lambda: areas().read_by(2, ["gleu"]), lambda: areas().settled(["gleu"]),
    lambda: areas().misread(25),
])
def test_what_there_is_no_rule_for_is_refused(call):
    with pytest.raises(DataError):
        call()
    with pytest.raises(DataError, match="Did you mean glue"):
        areas().meant(["gleu"])
