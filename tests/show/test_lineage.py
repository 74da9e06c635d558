"""The lineage picture: every thing once, below what it was made of, and what is stale."""

from __future__ import annotations

import pytest
from gallery import chain
from matplotlib.patches import FancyBboxPatch

from fmcourse import show
from fmcourse.errors import DataError
from fmcourse.show.lineage import _layers


def test_what_changed_and_what_is_stale_is_said():
    figure = show.lineage(chain())
    assert "data set clean (changed)" in figure.alt
    for name in ("tokens of clean", "reader", "tuned", "adapter of tuned"):
        assert f"{name} (stale)" in figure.alt
    for name in ("letters", "base", "answers"):
        assert f"{name} (stale)" not in figure.alt
    assert sum(isinstance(patch, FancyBboxPatch) for patch in figure.axes[0].patches) == 9


def test_everything_stands_below_what_it_was_made_of():
    graph = chain()
    rows = {one: row for row, layer in enumerate(_layers(graph)) for one in layer}
    assert all(rows[older] < rows[newer] for older, newer in graph.edges)


def test_nothing_cannot_be_drawn():
    graph = chain()
    with pytest.raises(DataError, match="nothing to draw"):
        show.lineage(type(graph)(graph.folder, {}, ()))
