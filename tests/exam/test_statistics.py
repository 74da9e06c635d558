"""The shipped bank gives nothing away; a bank rigged in any one way is found out."""

import random
from dataclasses import replace

import pytest
from exam.items import read

from fmcourse.exam import bank, statistics
from fmcourse.exam.giveaways import SIGNS, baselines

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty",
         "kiosk", "ledge", "maple", "north", "olive", "perch", "quartz", "ridge", "slate", "thorn"]


def plain_bank(count=60, rig=lambda option, stem, is_key: option):
    """Items of random words, keys at random places; `rig` may change an option."""
    chance, made = random.Random(5), []
    for number in range(count):
        kind = ("multiple_choice", "multiple_response")[number % 2]
        names = "abcd" if kind == "multiple_choice" else "abcde"
        keys = sorted(chance.sample(names, 1 if kind == "multiple_choice" else 2))
        stem = f"Which of {' '.join(chance.sample(WORDS, 6))} in case {number}?"
        options = {name: rig(" ".join(chance.sample(WORDS, chance.choice([2, 3, 4]))) + f" {name}x",
                             stem, name in keys) for name in names}
        made.append(read(kind, id=f"K1-{number:02}", stem=stem, options=options,
                         key=keys[0] if kind == "multiple_choice" else keys,
                         wrong={name: "Not so." for name in names if name not in keys}))
    return made


RIGS = {
    "longest option": lambda option, stem, key: option + " and more of the same" * key,
    "shortest option": lambda option, stem, key: "brief" if key else option,
    "keyword overlap": lambda option, stem, key: " ".join(stem.split()[2:5]) if key else option,
    "least overlap": lambda option, stem, key: option if key else option + stem[8:30],
    "no absolute words": lambda option, stem, key: option + " and never more" * (not key),
}


def rigged(name):
    """Some rigs leave options that are the same: a mark keeps them apart."""
    marks = iter(range(10_000))
    return lambda option, stem, key: f"{RIGS[name](option, stem, key)} {next(marks)}"


def test_the_shipped_bank_gives_nothing_away():
    found = statistics.measure(bank.load())
    assert not found.leaks, "\n".join(map(str, found.leaks))


def test_the_shipped_bank_is_as_large_and_as_mixed_as_it_should_be():
    found = statistics.measure(bank.load())
    assert not found.missing
    assert statistics.measure(bank.load()[:60]).missing


def test_a_sound_bank_passes():
    assert not [one for one in baselines(plain_bank()) if one.leaks]


@pytest.mark.parametrize("name", SIGNS)
def test_a_rigged_bank_is_found_out_by_its_sign(name):
    found = {one.name: one for one in baselines(plain_bank(rig=rigged(name)))}
    assert found[name].leaks
    assert "giveaway" in str(found[name])
    assert found[name].right > 1.5 * found[name].chance


def test_a_matching_that_repeats_its_prompts_is_found_out():
    made = [read("matching", id=f"K1-{number:02}", stem=f"Match {number}.",
                 prompts={"p": "An amber lamp", "q": "A birch table", "r": "A cedar chair"},
                 options={"a": "Birch tree", "b": "Amber stone", "c": "Cedar cone",
                          "d": "Iron ore"})
            for number in range(10)]
    assert {one.name for one in baselines(made) if one.leaks} == {"keyword overlap"}


def test_matches_that_hang_together_raise_no_false_alarm():
    """All prompts of an item go with one option, whichever: no sign knows which."""
    texts = {"a": "Iron", "b": "Amber stone", "c": "A cedar cone", "d": "A long birch bench"}
    prompts = {name: f"Prompt {name}" for name in "pqrstuv"}
    item = read("matching", prompts=prompts, options=texts, key=dict.fromkeys(prompts, "a"),
                wrong={"p": {"b": "No.", "c": "No.", "d": "No."}})
    chance, alarms = random.Random(1), 0
    for _ in range(60):
        made = [replace(item, id=f"K1-{number:02}", key=(chance.choice("abcd"),) * 7)
                for number in range(12)]
        longest = baselines(made)[0]
        assert (longest.name, longest.items) == ("longest option", 12)
        alarms += longest.leaks
    assert alarms <= 3  # 0.6 expected; 12 if each prompt counted as an item


def test_where_all_options_look_alike_a_sign_says_nothing():
    item = read(options={"a": "Four", "b": "Five", "c": "Nine", "d": "Zero"})
    assert [(one.items, one.p) for one in baselines([item])] == [(0, 1.0)] * len(SIGNS)


def test_one_item_proves_nothing():
    item = read(options={"a": "Four", "b": "Five, which is prime", "c": "Six", "d": "Eight"})
    longest = baselines([item])[0]
    assert (longest.right, longest.chance, longest.leaks) == (1, 0.25, False)
    assert longest.p == pytest.approx(0.25)


def test_counts_and_what_is_missing():
    kinds = ("multiple_choice", "multiple_response", "ordering", "matching")
    found = statistics.measure([read(kind) for kind in kinds])
    assert found.types == dict.fromkeys(kinds, 1)
    assert (found.total, found.tasks["3.3"], found.claims["K1"], found.keys["b"]) == (4, 4, 4, 1)
    said = " ".join(found.missing)
    assert "4 items of 240" in said
    assert "K2 0" in said
    assert "K1 " not in said
    assert "0% scenarios" in said
    assert "ordering" not in said
    assert "letters of keys: a 0, b 1" in str(found)
