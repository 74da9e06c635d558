"""The policy: each fact that is missing is missed, by name, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import tiny
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import data
from fmcourse.data import curation, governance, privacy
from fmcourse.data.facts import SENSITIVITIES, strictest
from fmcourse.data.governance import Governance
from fmcourse.data.governance.policy import CHECKS, POLICY, allows
from fmcourse.errors import DataError, PolicyError

CARD = data.Card("letters", {"letters.jsonl": "0" * 64}, licence=("MIT",))
WHOLE = Governance("Ann", ("research", "product"), "2030-06-30", "personal", "consent")
TODAY = date(2030, 6, 30)
REDACTED = ({"step": "redacted names", "kept": 1, "dropped": 0, "note": ""},)


def rules(about, purpose="product", today=TODAY):
    return [breach.rule.name for breach in governance.check(about, purpose, today=today)]


def test_a_whole_card_breaks_nothing_on_its_last_day():
    about = replace(CARD, governance=WHOLE, steps=REDACTED)
    assert rules(about) == []
    assert rules(about, today=date(2030, 7, 1)) == ["retention"]


def test_what_the_privacy_room_writes_counts_as_redaction():
    about = replace(CARD, governance=WHOLE)
    letters = data.with_card(Dataset.from_dict({"text": ["Write to ann@example.org."]}), about)
    assert rules(letters) == ["redaction"]
    assert rules(privacy.without_personal(letters)) == []
    assert rules(curation.curate(letters, [privacy.step()]).kept) == []


@given(kept=st.sets(st.sampled_from(["owner", "purposes", "keep_until", "sensitivity", "basis"])),
       licensed=st.booleans(), redacted=st.booleans(), sourced=st.booleans())
def test_breaches_are_exactly_what_is_missing(kept, licensed, redacted, sourced):
    facts = Governance(**{name: getattr(WHOLE, name) for name in kept})
    about = replace(CARD, governance=facts, licence=("MIT",) if licensed else (),
                    steps=REDACTED if redacted else (), sources=CARD.sources if sourced else {})
    missing = {"card": not sourced, "owner": "owner" not in kept, "licence": not licensed,
               "purpose": "purposes" not in kept, "retention": "keep_until" not in kept,
               "sensitivity": "sensitivity" not in kept,
               "basis": "sensitivity" in kept and "basis" not in kept,
               "redaction": "sensitivity" in kept and not redacted}
    assert rules(about) == [name for name, gone in missing.items() if gone]


@pytest.mark.parametrize(("change", "rule"), [
    ({"licence": ("CC-BY-NC-4.0",)}, "licence"), ({"licence": ("MIT", "")}, "licence"),
    ({"licence": ("(MIT)",)}, "licence"),
    ({"governance": replace(WHOLE, purposes=("research",))}, "purpose"),
    ({"governance": replace(WHOLE, sensitivity="special")}, "sensitivity"),
    ({"governance": replace(WHOLE, owner="  ")}, "owner")])
def test_what_is_wrong_is_named(change, rule):
    about = replace(CARD, **{"governance": WHOLE, "steps": REDACTED, **change})
    assert rules(about) == [rule]
    breach = governance.check(about, "product", today=TODAY)[0]
    assert breach.rule.fix in str(breach)
    assert "letters" in str(breach)


def test_a_licence_may_do_for_research_and_not_for_sale():
    about = replace(CARD, licence=("CC-BY-NC-4.0",), governance=WHOLE, steps=REDACTED)
    assert (rules(about, "research"), rules(about)) == ([], ["licence"])
    known = {"A": ("x",), "B": ("y",)}
    assert [allows(text, "x", known) for text in ("A", "B OR A", "B AND A", "A OR C AND B")] == [
        True, True, False, True]


def test_data_without_a_card_breaks_that_rule_alone():
    bare = tiny.dataset()
    bare.info.description = ""
    assert rules(bare, "research") == ["card"]
    with pytest.raises(DataError, match="no card"):
        governance.govern(bare, WHOLE)


def test_facts_are_for_this_data_set_and_survive_what_is_done_to_it(tmp_path):
    plain = tiny.dataset()
    governed = governance.govern(plain, WHOLE)
    assert data.card(plain).governance is None
    assert data.card(governed).governance == WHOLE
    assert data.card(data.normalise(governed).filter(lambda row: True)).governance == WHOLE
    assert data.tokens(governed, tiny.tokenizer()).card.governance == WHOLE
    assert "Ann" in str(data.card(governed))


def test_joined_data_is_held_to_the_strictest():
    facts = Governance("Bo", ("research",), "2029-01-01", "public", "licence")
    one, two = (governance.govern(tiny.dataset(), own) for own in (WHOLE, facts))
    both = data.card(data.combine("both", [one, two])).governance
    assert both == Governance("Ann; Bo", ("research",), "2029-01-01", "personal",
                              "consent; licence")
    mixed = data.card(data.combine("mixed", [one, tiny.dataset()]))
    assert mixed.governance == Governance()
    assert strictest([None, None]) is None


@pytest.mark.parametrize("wrong", [{"keep_until": "soon"}, {"keep_until": 7},
                                   {"sensitivity": "secret"}])
def test_facts_that_are_none_are_refused(wrong):
    with pytest.raises(DataError, match="what to do"):
        Governance(**wrong)


def test_purposes_may_be_one_word():
    assert Governance(purposes="research").purposes == ("research",)
    assert Governance().purposes == ()


@pytest.mark.parametrize("change", [
    ("[rules.owner]", "[rules.ownr]"), ('sensitivity = "internal"', 'sensitivity = "none"'),
    ("[purposes.teaching]", "[purposes"), ("[licences]", "[licenses]"), ("why = ", "because = ")])
def test_a_policy_that_cannot_be_used_is_refused(tmp_path, change):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(PolicyError, match="cannot be used"):
        governance.policy(path)


def test_every_check_has_its_rule_and_a_rule_left_out_is_not_asked(tmp_path):
    whole = governance.policy()
    assert list(whole.rules) == list(CHECKS)
    fewer = replace(whole, rules={name: rule for name, rule in whole.rules.items()
                                  if name != "owner"})
    about = replace(CARD, governance=replace(WHOLE, owner=""), steps=REDACTED)
    assert rules(about) == ["owner"]
    assert governance.check(about, "product", today=TODAY, by=fewer) == []


def test_an_unknown_purpose_is_told():
    with pytest.raises(PolicyError, match="Did you mean research"):
        governance.check(CARD, "reserch")


@given(st.lists(st.builds(
    Governance, st.sampled_from(["", "Ann", "Bo"]), st.lists(st.sampled_from("abc"), unique=True),
    st.sampled_from(["", "2030-01-01", "2031-01-01"]), st.sampled_from(["", *SENSITIVITIES])),
    min_size=1, max_size=4))
def test_the_strictest_allows_nothing_that_a_part_forbids(parts):
    whole = strictest(parts)
    assert all(set(whole.purposes) <= set(part.purposes) for part in parts)
    if whole.keep_until:
        assert all(whole.keep_until <= part.keep_until for part in parts)
    if whole.sensitivity:
        assert all(SENSITIVITIES.index(whole.sensitivity) >= SENSITIVITIES.index(part.sensitivity)
                   for part in parts)
