"""The shipped bank gives nothing away; a bank rigged in any one way is found out."""

import random
from dataclasses import replace

import pytest
from exam.items import read

from fmcourse.exam import bank, statistics
from fmcourse.exam.giveaways import SIGNS, baselines
from fmcourse.exam.item import CHOICE, MATCHING, RESPONSE

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty",
         "kiosk", "ledge", "maple", "north", "olive", "perch", "quartz", "ridge", "slate", "thorn"]


def plain_bank(kind=CHOICE, count=40, rig=lambda options, stem, keys: options, seed=5):
    """Items of random words, keys at random places; `rig` may change the options."""
    chance, made = random.Random(seed), []
    for number in range(count):
        names = "abcd" if kind == CHOICE else "abcde"
        keys = sorted(chance.sample(names, 1 if kind == CHOICE else 2))
        stem = f"Case {number}: {' '.join(chance.sample(WORDS, 6))}?"
        options = {name: " ".join(chance.sample(WORDS, chance.choice([2, 3, 4]))) + f" {name}x"
                   for name in names}
        made.append(read(kind, id=f"K1-{number:02}", stem=stem, options=rig(options, stem, keys),
                         key=keys[0] if kind == CHOICE else keys,
                         wrong={name: "Not so." for name in names if name not in keys}))
    return made


def ranked(place):
    """A key has this rank by length: 0 for the longest, -1 for the shortest."""
    def rig(options, stem, keys):
        order = [name for name in options if name != keys[0]]
        order.insert(place if place >= 0 else len(options) + place, keys[0])
        return {name: text[:16].ljust(60 - 8 * order.index(name), "x")
                for name, text in options.items()}
    return rig


def added(words, to_keys=True):
    """Words put to the keys, or to all other options."""
    return lambda options, stem, keys: {
        name: text + f" {words}" * ((name in keys) == to_keys) for name, text in options.items()}


def echoing(of_keys):
    def rig(options, stem, keys):
        said = " ".join(stem.split()[2:5])
        return {name: f"{said} {name}" if (name in keys) == of_keys else f"{name}x of {name}y"
                for name in options}
    return rig


RIGS = {
    "longest option": ranked(0), "second longest": ranked(1),
    "second shortest": ranked(-2), "shortest option": ranked(-1),
    "keyword overlap": echoing(of_keys=True), "least overlap": echoing(of_keys=False),
    "most like the others": added("common ground"),
    "least like the others": added("common ground", to_keys=False),
    "absolute words": added("and never more"),
    "no absolute words": added("and never more", to_keys=False),
    "hedged words": added("or perhaps less"),
    "no hedged words": added("or perhaps less", to_keys=False),
}


def test_the_shipped_bank_gives_nothing_away():
    found = statistics.measure(bank.load())
    assert not found.leaks, "\n".join(map(str, found.leaks))


def test_the_shipped_bank_is_as_large_and_as_mixed_as_it_should_be():
    found = statistics.measure(bank.load())
    assert not found.missing, "\n".join(found.missing)
    assert found.scenarios >= 0.27 * found.total
    assert statistics.measure(bank.load()[:60]).missing


@pytest.mark.parametrize("kind", [CHOICE, RESPONSE])
def test_sound_banks_raise_few_alarms(kind):
    found = [one.leaks for seed in range(10) for one in baselines(plain_bank(kind, seed=seed))]
    assert sum(found) <= 4  # of 120; 1.2 expected, in clusters, since signs resemble each other


@pytest.mark.parametrize("name", [name for name in SIGNS if name != "most like the others"])
@pytest.mark.parametrize("kind", [CHOICE, RESPONSE])
def test_a_rigged_bank_is_found_out_by_its_sign(kind, name):
    found = {one.name: one for one in baselines(plain_bank(kind, rig=RIGS[name]))}
    assert found[name].leaks
    assert "giveaway" in str(found[name])
    assert found[name].right > 1.5 * found[name].chance


def test_keys_that_resemble_all_other_options_are_found_out():
    found = {one.name: one for one in baselines(plain_bank(RESPONSE, rig=RIGS[
        "most like the others"]))}
    assert found["most like the others"].leaks


def test_a_sign_that_is_right_too_seldom_is_one_turned_round():
    def second_hand(options, stem, keys):
        long = next(name for name in options if name not in keys)
        return options | {long: options[long] + " and more and more"}
    longest = baselines(plain_bank(rig=second_hand))[0]
    assert (longest.name, longest.right) == ("longest option", 0)
    assert longest.leaks


def test_types_are_held_against_guessing_each_by_itself():
    """Longest in one type and shortest in the other: together nothing would be seen."""
    made = plain_bank(CHOICE, rig=ranked(0)) + plain_bank(RESPONSE, rig=ranked(-1))
    leaks = {(one.type, one.name) for one in baselines(made) if one.leaks}
    assert {(CHOICE, "longest option"), (RESPONSE, "shortest option")} <= leaks


def test_a_matching_that_repeats_its_prompts_is_found_out():
    made = [read("matching", id=f"K1-{number:02}", stem=f"Match {number}.",
                 prompts={"p": "An amber lamp", "q": "A birch table", "r": "A cedar chair"},
                 options={"a": "Birch tree", "b": "Amber stone", "c": "Cedar cone",
                          "d": "Iron ore"})
            for number in range(10)]
    overlap = {one.name: one for one in baselines(made)}["keyword overlap"]
    assert (overlap.right, overlap.chance, overlap.leaks) == (30, pytest.approx(7.5), True)


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
        assert (longest.type, longest.name, longest.items) == (MATCHING, "longest option", 12)
        alarms += longest.leaks
    assert alarms <= 3  # 0.6 expected; 12 if each prompt counted as an item


def test_where_all_options_look_alike_a_sign_says_nothing():
    item = read(options={"a": "Four", "b": "Five", "c": "Nine", "d": "Zero"})
    assert [(one.items, one.right, one.p) for one in baselines([item])] == [(0, 0, 1)] * len(SIGNS)


def test_one_item_proves_nothing():
    item = read(options={"a": "Four", "b": "Five, which is prime", "c": "Six", "d": "Eight"})
    longest = baselines([item])[0]
    assert (longest.right, longest.chance, longest.leaks) == (1, 0.25, False)
    assert longest.p == pytest.approx(0.5)


def test_a_tie_is_split():
    item = read(options={"a": "Four", "b": "Seventeen", "c": "Six", "d": "Forty-six"}, key="b",
                wrong={"a": "Even.", "c": "Even.", "d": "Even."})
    longest = baselines([item])[0]
    assert (longest.right, longest.chance, longest.p) == (0.5, 0.25, 1.0)


def test_what_is_not_explained_is_missing():
    kinds = ("ordering", "matching")
    found = statistics.measure([read(kind) for kind in kinds])
    assert found.explained == {"ordering": {"K1-03": pytest.approx(1 / 5)},
                               "matching": {"K1-04": pytest.approx(2 / 9)}}
    said = " ".join(found.missing)
    assert "of 100% wanted: K1-03 20%" in said
    assert "of 40% wanted: K1-04 22%" in said


def test_faults_of_grammar_and_doubles_are_missing_perfection():
    made = [read(stem="Which a apple is ripe?"), read(id="K1-09", stem="Which apple is ripe?")]
    found = statistics.measure(made)
    assert found.faults == ("K1-01: 'a apple': the article does not agree.",)
    assert found.doubles == ("K1-01 and K1-09 share 100% of the words of their stems and keys.",)
    assert set(found.faults + found.doubles) <= set(found.missing)


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
    assert "ordering and matching" not in said
    assert "letters of keys: a 0, b 1" in str(found)
