"""Coverage and selections: what covers much scores higher than what covers little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.errors import DataError

SUBJECTS = [[f"{name}{i}" for i in range(12)] for name in ("boat", "star", "bread", "song")]


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """160 texts of four subjects with words of their own."""
    draw = np.random.default_rng(0)
    return data.text_vectors([" ".join(draw.choice(SUBJECTS[i % 4], 15)) for i in range(160)])


def test_vectors_have_unit_length(points):
    assert np.allclose(np.linalg.norm(points, axis=1), 1)
    assert np.allclose(data.text_vectors(["red fox", "!!", "red hen"])[1], 0)


def test_clusters_are_the_subjects(points):
    found = data.clusters(points, 4)
    assert all(len(set(found[start::4])) == 1 for start in range(4))


def test_diverse_covers_more_than_narrow(points):
    subjects = [i % 4 for i in range(160)]
    wide, close = data.diverse(points, 16), data.narrow(points, 16)
    assert data.coverage(subjects, wide).hit == 1
    assert data.coverage(subjects, close).hit == 0.25
    assert data.coverage(subjects, wide).effective > 2 > data.coverage(subjects, close).effective
    assert data.vendi(points[wide]) > 1.5 * data.vendi(points[close])


def test_as_many_of_each_label(points):
    labels = [i % 4 for i in range(160)]
    for choose in (data.diverse, data.narrow):
        chosen = choose(points, 20, by=labels)
        assert [sum(labels[i] == one for i in chosen) for one in range(4)] == [5] * 4


def test_scores_by_hand():
    found = data.coverage([0, 0, 0, 1, 2, 3], [0, 1, 3, 4])
    assert found.hit == 0.75
    assert found.effective == pytest.approx(2 ** 1.5)
    assert data.vendi(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])) == pytest.approx(2)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(0, 99), st.data())
def test_a_selection_has_n_different_indices(count, seed, draw):
    points = np.random.default_rng(seed).integers(0, 3, (count, 2)).astype(float)
    n = draw.draw(st.integers(1, count))
    by = draw.draw(st.none() | st.lists(st.integers(0, 3), min_size=count, max_size=count))
    for choose in (data.diverse, data.narrow):
        chosen = choose(points, n, seed, by)
        assert len(set(chosen)) == len(chosen) == n
        assert chosen == sorted(chosen)
        assert 0 <= chosen[0] <= chosen[-1] < count


@pytest.mark.parametrize("call", [
    lambda: data.text_vectors(["!", "?"]), lambda: data.clusters(np.eye(2), 3),
    lambda: data.coverage([0, 1], []), lambda: data.vendi(np.zeros((2, 2))),
    lambda: data.diverse(np.eye(3), 0), lambda: data.narrow(np.eye(3), 4)])
def test_what_cannot_be_had_is_refused(call):
    with pytest.raises(DataError):
        call()
