"""Masks, attention grids, funnels."""

import numpy as np
import pytest
from gallery import TOKENS
from matplotlib.patches import Rectangle

from fmcourse import show
from fmcourse.errors import DataError


def test_the_mask_counts_what_the_loss_counts():
    mask = [False] * 5 + [True] * 3
    assert show.mask_figure(TOKENS, mask).alt == \
        "Loss mask. tokens: 5 read only, 3 read, and counts in the loss"
    assert show.mask_figure(TOKENS, np.array(mask)).alt == show.mask_figure(TOKENS, mask).alt


def test_white_space_in_tokens_is_visible():
    drawn = [t.get_text() for t in show.mask_figure(TOKENS, [True] * 8).axes[0].texts]
    assert "·cat" in drawn
    assert "⏎" in drawn


def test_long_records_wrap_inside_the_picture():
    figure = show.mask_figure(["token"] * 60 + ["x" * 300], [True] * 61)
    assert max(t.get_position()[0] for t in figure.axes[0].texts) < 78


@pytest.mark.parametrize(("tokens", "mask"), [
    ([], []), (TOKENS, [True]), (["a"], ["seen"]), (["a"], {})])
def test_bad_masks_are_refused(tokens, mask):
    with pytest.raises(DataError, match="what to do"):
        show.mask_figure(tokens, mask)


def test_attention_allows_half_or_all():
    causal, both = show.attention_pattern(T=6).axes
    assert sum(isinstance(p, Rectangle) for p in causal.patches) == 21
    assert sum(isinstance(p, Rectangle) for p in both.patches) == 36


@pytest.mark.parametrize("options", [{"T": 1}, {"T": 13}, {"kinds": ["sideways"]}])
def test_bad_attention_is_refused(options):
    with pytest.raises(DataError, match="what to do"):
        show.attention_pattern(**options)


def test_the_funnel_starts_with_what_was_read():
    figure = show.funnel([{"step": "short", "kept": 90, "dropped": 10},
                          {"step": "same", "kept": 45}])
    assert figure.alt == "documents kept after each step: read 100; short 90; same 45."
    written = [t.get_text() for t in figure.axes[0].texts]
    assert "45  (45\xa0%)" in written
    assert "−10" in written


def test_a_step_not_counted_is_not_a_step_that_dropped_all():
    figure = show.funnel({"step": ["a", "b", "c"], "kept": [10, np.nan, 5]})
    assert not [t for t in figure.axes[0].texts if t.get_text().startswith("−")]


@pytest.mark.parametrize("bad", [[], {"step": ["a"]}, {"step": ["a"], "kept": [-1]},
                                 {"step": ["a"], "kept": [np.nan]}, {"step": ["a"], "kept": ["x"]}])
def test_bad_funnels_are_refused(bad):
    with pytest.raises(DataError, match="what to do"):
        show.funnel(bad)
