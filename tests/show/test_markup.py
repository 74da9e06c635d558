"""Tables, samples and heat maps: valid markup, nothing a model wrote is obeyed, a text twin."""

import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from fmcourse import show
from fmcourse.errors import DataError

NASTY = '<script>alert("1")</script><img src=x onerror=y> & \' "quoted"'
ALLOWED = {"table", "caption", "thead", "tbody", "tr", "th", "td", "div", "span", "br", "b"}


class Reader(HTMLParser):
    """Collects tags and text, and fails on a tag that is not closed in order."""

    def __init__(self, markup):
        super().__init__()
        self.open, self.tags, self.text, self.titles = [], set(), "", []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.titles += [value for name, value in attributes if name == "title"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def samples(text, prompt="The king"):
    return [{"step": 0, "prompt": prompt, "text": text}]


def heat(tokens, nats):
    return show.token_heatmap(pd.DataFrame({"token": tokens, "nats": nats}))


@pytest.mark.parametrize("shown", [
    lambda: show.table([{NASTY: NASTY, "n": 1}], caption=NASTY),
    lambda: show.samples_over_time(samples(NASTY, prompt=NASTY + "!"), caption=NASTY),
    lambda: show.token_heatmap([{"token": NASTY, "nats": 1.0}], caption=NASTY),
])
def test_text_is_escaped(shown):
    page = Reader(shown()._repr_html_())
    assert page.tags <= ALLOWED
    assert "<script>" in page.text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_gives_balanced_safe_markup(text, prompt):
    for shown in (show.samples_over_time(samples(text, prompt)), show.table({"a": [text]}),
                  heat([text, prompt], [0.1, math.nan])):
        assert Reader(shown._repr_html_()).tags <= ALLOWED
        assert isinstance(str(shown), str)


def test_a_notebook_gets_html_and_a_terminal_text():
    data, _ = DisplayFormatter().format(show.table({"a": [1]}))
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/plain"] == "a\n1"


def test_tables_write_numbers_as_people_read_them():
    table = show.table(pd.DataFrame({"tokens": [2e6, np.nan], "accuracy": [0.613, 0.5],
                                     "kl": [0.12345, 3]}), formats={"kl": ".1f"})
    assert str(table).splitlines() == ["tokens  accuracy   kl", "   2 M      61 %  0.1",
                                       "     –      50 %  3.0"]


def test_tables_keep_a_named_index_and_count_what_is_left_out():
    frame = pd.DataFrame({"x": range(50)}, index=pd.Index(range(50), name="step"))
    text = str(show.table(frame, rows=3))
    assert text.splitlines()[0].split() == ["step", "x"]
    assert text.endswith("… 47 more rows")


def test_no_fixed_text_or_page_colour_so_both_themes_work():
    shown = show.table({"a": [1]}), show.samples_over_time(samples("x"))
    markup = "".join(each._repr_html_() for each in shown)
    assert "color:#" not in markup
    assert "background:#" not in markup


@pytest.mark.parametrize("call", [
    lambda: show.table([]), lambda: show.table(pd.DataFrame()), lambda: show.table(3),
    lambda: show.table("text"), lambda: show.table({"a": [1]}, formats={"b": ".1f"}),
    lambda: show.table({"a": ["x"]}, formats={"a": ".1f"}), lambda: show.table({"a": [1], "b": []}),
    lambda: show.samples_over_time([]),
    lambda: show.samples_over_time([{"prompt": "a", "text": "b"}]),
    lambda: show.token_heatmap([]), lambda: show.token_heatmap([{"token": "a"}]),
    lambda: heat(["a"], [-2.3]), lambda: heat(["a"], ["x"]),
])
def test_bad_input_is_refused_with_a_fix(call):
    with pytest.raises(DataError, match="what to do"):
        call()


def test_samples_drop_the_repeated_prompt_and_show_line_breaks():
    shown = show.samples_over_time(samples("The king was\n\nold"))
    page = Reader(shown._repr_html_())
    assert "was⏎⏎old" in page.text
    assert page.text.count("The king") == 1
    assert str(shown) == "“The king”\n  step 0: was old"


def test_samples_are_cut_and_empty_ones_said():
    assert "…" in str(show.samples_over_time(samples("word " * 200)))
    assert "(nothing)" in show.samples_over_time(samples(None))._repr_html_()


def test_heat_map_titles_carry_nats_and_probability():
    page = Reader(heat(["<s>", "The", " cat\n"], [np.nan, math.log(2), 7.5])._repr_html_())
    assert page.titles[:3] == ["not predicted", "0.69 nats, probability 50 %",
                               "7.50 nats, probability 0.0553 %"]
    assert "·cat⏎" in page.text
    assert "Mean surprise 4.10 nats per token over 2 tokens" in page.text


def test_heat_map_marks_surprise_without_colour():
    markup = heat(["easy", "hard"], [0.1, 6.0])._repr_html_()
    assert "<b>hard</b>" in markup
    assert "<b>easy</b>" not in markup
    assert "hard[6.0*]" in str(heat(["easy", "hard"], [0.1, 6.0]))


def test_heat_map_tiles_have_contrast():
    from fmcourse.show.heatmap import _SHADES, _tile_style
    from fmcourse.show.look import luminance

    lightness = []
    for _, colour in _SHADES:
        back = luminance([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        front = 0.0 if "color:#000" in _tile_style(colour) else 1.0
        assert (max(back, front) + 0.05) / (min(back, front) + 0.05) >= 4.5
        lightness.append(back)
    assert lightness == sorted(lightness, reverse=True)


def test_long_texts_are_cut_with_a_count():
    shown = show.token_heatmap([{"token": "a", "nats": 1}] * 30, tokens=10)
    assert "20 more tokens" in str(shown)
    assert "20 more tokens" in shown._repr_html_()


def test_a_column_of_unbroken_words_may_break_them_and_others_do_not():
    markup = show.table([{"who": "somebody", "said": "a" * 60}])._repr_html_()
    assert markup.count("overflow-wrap:anywhere") == 1
    words = show.table([{"who": "somebody", "said": "a short word or two " * 9}])
    assert "overflow-wrap" not in words._repr_html_()
