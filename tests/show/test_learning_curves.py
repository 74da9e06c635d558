"""Learning curves: means over seeds, bars from lowest to highest, chance, refusals."""

import numpy as np
import pandas as pd
import pytest

from fmcourse import show
from fmcourse.errors import DataError


def table():
    return pd.DataFrame([
        {"arm": arm, "labels": n, "accuracy": level + 0.1 * np.log10(n) + 0.02 * seed,
         "seed": seed}
        for arm, level in (("base", 0.4), ("scratch", 0.1)) for n in (8, 64, 512)
        for seed in (0, 1, 2)])


def labels(figure):
    return " ".join(t.get_text().replace("\n", " ") for t in figure.axes[0].texts)


def test_lines_are_means_over_seeds_on_a_log_axis():
    ax = show.learning_curves(table()).axes[0]
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [8, 64, 512])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.42 + 0.1 * np.log10([8, 64, 512]))


def test_few_sizes_are_the_ticks():
    ax = show.learning_curves(table().replace({"labels": {8: 1, 64: 2, 512: 4}})).axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "4"]


def test_bars_run_from_the_lowest_to_the_highest_seed():
    bars = show.learning_curves(table()).axes[0].collections[0].get_segments()
    first = 0.4 + 0.1 * np.log10(8)
    np.testing.assert_allclose(bars[0][:, 1], [first, first + 0.04])


def test_arms_and_chance_are_named_with_their_values():
    picture = show.learning_curves(table(), chance=0.042)
    assert "base 69\xa0%" in labels(picture)
    assert "chance 4.2\xa0%" in labels(picture)
    assert "scratch 39\xa0% at 512" in picture.alt


def test_an_arm_that_ends_earlier_says_where():
    """Else its value would be compared with those of more labels beside it."""
    short = table()[lambda rows: (rows["arm"] == "base") | (rows["labels"] < 512)]
    picture = show.learning_curves(short)
    assert "scratch 30\xa0% at 64" in labels(picture)
    assert "base 69\xa0%" in labels(picture)
    assert "base 69\xa0% at" not in labels(picture)
    assert picture.alt.count("at 64") == 1


def test_rows_that_cannot_be_drawn_are_left_out():
    rows = pd.concat([table(), pd.DataFrame([
        {"arm": "base", "labels": 0, "accuracy": 0.0}, {"arm": "base", "labels": 8,
                                                        "accuracy": np.nan}])])
    assert show.learning_curves(rows).png() == show.learning_curves(table()).png()


def test_other_columns_can_be_drawn():
    rows = table().rename(columns={"labels": "tokens", "accuracy": "f1", "arm": "start"})
    ax = show.learning_curves(rows, x="tokens", y="f1", group="start").axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tokens read", "f1")


@pytest.mark.parametrize(("rows", "message"), [
    ([], "no rows"), (table().drop(columns="arm"), "no column 'arm'"), (3, "table was expected"),
    (table().assign(accuracy=np.nan), "no value that can be drawn"),
])
def test_bad_tables_are_refused(rows, message):
    with pytest.raises(DataError, match=message):
        show.learning_curves(rows)
