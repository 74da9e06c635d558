"""Every rule lets prose through and stops what it is for, and says which it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse.data import curation
from fmcourse.data.curation import Drop
from fmcourse.data.curation.rules import RULES, Parts

PROSE = ("The river rises in the hills to the north of the town and, after a long detour through "
         "woods that nobody has ever cared to map, it meets the sea beside an old lighthouse. "
         "People have lived along its banks for thousands of years, fishing and mending boats, "
         "and they will tell you, if you have the patience to listen, that it never sleeps.")


def judged(text: str, words: int = 20):
    (decision,) = curation.heuristics(words).decide([text])
    return decision


def test_prose_breaks_no_rule():
    assert judged(PROSE, words=50) == PROSE


SENTENCES = ["One is what the fox told the red hen of the day.",
             "Two men and the owl that woke them saw it.",
             "Three boats went to sea with a cargo of salt.",
             "Four of us have never been that far north."]


@pytest.mark.parametrize(("text", "why"), [
    ("Too few of the words.", "words below 20"),
    (" ".join(["a b c d of the"] * 20) + ".", "mean word length below 3"),
    (" ".join(["incomprehensibilities of counterrevolutionaries"] * 10) + ".",
     "mean word length above 10"),
    (PROSE + " #" * 20, "symbols (# or ...) per word above 0.1"),
    (PROSE + " 1234" * 60, "words with a letter below 0.8"),
    ("Rivers rise north. Boats sail south. Foxes run uphill daily. Owls watch them, hungry, "
     "silent. Hens sleep soundly under warm roofs. Bats fly home at dawn, tired, fed.",
     "stop words below 2"),
    ("\n".join(f"- {line}" for line in SENTENCES), "lines that are bullets above 0.9"),
    ("\n".join(f"{line[:-1]}..." for line in SENTENCES[:2]) + "\n" + PROSE,
     "lines that trail off above 0.3"),
    (f"{PROSE}\n{PROSE}", "characters in repeated lines above 0.2"),
    ("the water " * 12 + "runs to a sea.", "characters in the commonest 2 words above 0.2"),
    (PROSE.replace(".", ""), "ends of sentences below 1"),
    (PROSE + " function() { return; }", "filler and code above 0"),
    (PROSE + " Lorem ipsum dolor.", "filler and code above 0")])
def test_what_each_rule_stops(text, why):
    assert judged(text).why == why


def test_a_quotation_said_twice_is_a_repeated_run():
    text = PROSE + " " + " ".join(PROSE.split()[:20]) + "."
    assert judged(text).why == "characters in repeated runs of 5 words above 0.15"


@given(st.text(max_size=200))
def test_every_measure_is_a_number_for_any_text(text):
    parts = Parts(text)
    for rule in RULES:
        value = rule.measure(parts)
        assert value >= 0
        assert isinstance(rule.broken(parts), Drop | None)
        if rule.name.startswith(("characters", "lines")) or rule.name == "words with a letter":
            assert value <= 1 + 1e-9, rule.name


def test_the_thresholds_are_shown_with_their_source():
    table = curation.thresholds(words=20).set_index("rule")
    assert table["at least"]["words"] == 20
    assert "asks for 50" in table["source"]["words"]
    assert table["at most"]["mean word length"] == 10
    assert set(curation.thresholds()["source"]) >= {"Gopher, appendix A1", "C4, section 2.2"}
