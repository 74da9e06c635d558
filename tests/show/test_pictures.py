"""What holds for every picture: small, shown once, legible, labelled, nothing cut or hidden."""

import io
from itertools import combinations

import matplotlib
import pytest
from gallery import PICTURES, texts
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from PIL import Image

from fmcourse import show
from fmcourse.show.look import BLUE, SMALL, Picture, canvas, ink, luminance, plain, series


def test_it_is_a_small_figure_of_notebook_width(picture):
    assert isinstance(picture, Figure)
    png = picture.png()
    assert len(png) < 60_000
    with Image.open(io.BytesIO(png)) as image:
        assert 680 <= image.width <= 720
        assert image.height <= 640


def test_pyplot_does_not_know_it_so_it_shows_once(picture):
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []
    data, metadata = DisplayFormatter().format(picture)
    assert set(data) == {"image/png", "text/plain"}
    assert metadata["image/png"]["alt"] == picture.alt
    assert len(picture.alt) > 30


def test_axes_are_labelled(picture):
    for ax in picture.axes:
        if ax.get_visible() and ax.axison:
            assert ax.get_xlabel(), "an axis without a name"
            rows = ax.get_shared_y_axes().get_siblings(ax)  # panels side by side share names
            assert ax.get_ylabel() or any(t.get_text() for a in rows for t in a.get_yticklabels())


def test_text_is_large_enough_and_inside(picture):
    width, height = picture.bbox.width, picture.bbox.height
    for text, box in texts(picture):
        assert text.get_fontsize() >= SMALL, text
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text


def overlaps(figure):
    return [(a.get_text(), b.get_text()) for (a, p), (b, q) in combinations(texts(figure), 2)
            if min(p.x1, q.x1) - max(p.x0, q.x0) > 1 and min(p.y1, q.y1) - max(p.y0, q.y0) > 1]


def test_no_text_covers_another(picture):
    assert overlaps(picture) == []


def test_the_overlap_check_can_fail():
    figure, ax = canvas(3)
    ax.text(0.5, 0.5, "here")
    ax.text(0.5, 0.5, "there")
    assert ("here", "there") in overlaps(figure)


@pytest.mark.parametrize("name", PICTURES)
def test_drawing_twice_gives_the_same_bytes_and_changes_no_settings(name):
    before = dict(matplotlib.rcParams)
    assert PICTURES[name]().png() == PICTURES[name]().png()
    assert dict(matplotlib.rcParams) == before


def test_transparent_pictures_can_still_be_saved():
    figure, _ = canvas(2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", transparent=True)
    with Image.open(buffer) as image:
        assert image.mode == "RGBA"


def test_series_stay_apart_without_colour():
    looks = [series(i) for i in range(14)]
    assert len({(str(k.dash), k.marker) for k in looks[:7]}) == 7
    assert len({(k.colour, str(k.dash)) for k in looks}) == 14


@pytest.mark.parametrize("index", range(7))
def test_text_in_a_series_colour_has_contrast(index):
    rgb = matplotlib.colors.to_rgb(ink(series(index).colour))
    assert 1.05 / (luminance(rgb) + 0.05) >= 4.5


def test_strange_characters_become_boxes_not_warnings():
    figure, ax = canvas(2)
    ax.set_title(plain("日本 🙂 \x07 naïve $x$"))
    assert "naïve $x$" in (ax.get_title() + ax.get_title(loc="left"))
    figure.png()


def test_style_sets_the_look_for_plain_matplotlib():
    from matplotlib import pyplot

    with matplotlib.rc_context():
        show.style()
        figure, ax = pyplot.subplots()
        lines = [ax.plot([1, 2])[0] for _ in range(2)]
        pyplot.close(figure)
    assert lines[0].get_color() == BLUE
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert not isinstance(figure, Picture)
