"""The chooser's advice: no route that lacks what it takes, and claims that the course has."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from fmcourse import evidence
from fmcourse.errors import CourseError
from fmcourse.evidence.choosing import (
    BEDROCK,
    CONTINUED,
    DISTILLING,
    EXAMPLES,
    NOVA,
    OWN,
    PROMPT,
    PUBLISHED,
    QUESTIONS,
    RETRIEVAL,
    SCRATCH,
    TUNING,
    Situation,
    advise,
    measured,
)

EVERY = [Situation(*answers) for answers in product(*(
    question.answers for question in QUESTIONS.values()))]
RICH = Situation("hundreds", "much", "changing", "fast", "much", "managed")


def test_with_everything_at_hand_all_is_built_in_order_of_its_price():
    assert advise(RICH).routes == (EXAMPLES, RETRIEVAL, CONTINUED, TUNING, DISTILLING, NOVA)
    assert [reason.route for reason in advise(RICH).leave] == [SCRATCH]


def test_with_nothing_at_hand_a_prompt_is_written():
    poor = Situation("none", "none", "none", "any", "none", "managed")
    assert advise(poor).routes == (PROMPT, PUBLISHED)


@pytest.mark.parametrize(("without", "gone"), [
    ({"facts": "none"}, RETRIEVAL), ({"examples": "few"}, TUNING), ({"budget": "none"}, TUNING),
    ({"documents": "some"}, CONTINUED), ({"budget": "some"}, CONTINUED),
    ({"examples": "few"}, CONTINUED), ({"speed": "any"}, DISTILLING),
    ({"budget": "none"}, DISTILLING)])
def test_each_condition_decides_on_its_route(without, gone):
    assert gone in advise(RICH).routes
    assert gone not in advise(replace(RICH, **without)).routes


def test_facts_that_change_are_never_left_to_weights():
    for case in EVERY:
        routes = advise(case).routes
        assert (RETRIEVAL in routes) == (case.facts != "none")
        assert not (case.budget == "none" and {CONTINUED, TUNING, DISTILLING} & {*routes})
        assert case.place == "managed" or routes[-1] == OWN


def test_every_route_is_built_or_left_with_claims_that_the_course_has():
    known = evidence.claims()
    for case in EVERY:
        advice = advise(case)
        said = [reason.route for reason in (*advice.build, *advice.leave)]
        assert len(said) == len({*said}) == 7
        assert all(known[claim] for reason in (*advice.build, *advice.leave)
                   for claim in reason.claims)
        assert all(reason.claims for reason in (*advice.build, *advice.leave))


def test_what_bedrock_does_not_do_is_not_advised_there():
    """Since 2026 it has no continued pre-training; then all of it goes where that is."""
    ended = {case: advise(case).routes for case in EVERY if case.place == "managed"}
    for case, routes in ended.items():
        assert (routes[-1] == NOVA) == (CONTINUED in routes), case
        assert (routes[-1] == BEDROCK) == (CONTINUED not in routes
                                           and bool({TUNING, DISTILLING} & {*routes})), case
    assert sum(NOVA in routes for routes in ended.values()) == 6
    assert "November 2026" in advise(RICH).build[-1].why


def test_no_reason_rests_on_what_is_not_shown():
    """Each names a measure of its claim, and the ledger has that measure shown; not the claim."""
    every = {one for case in EVERY for advice in [advise(case)]
             for reason in (*advice.build, *advice.leave) for one in reason.rests_on}
    for one in every:
        known = {(m.metric, m.treatment, m.control)
                 for m in evidence.claims()[one.claim].measures}
        assert one[1:] in known, one
        found = measured(one)
        assert found is None or found["verdict"] == "shown", one


def test_distillation_rests_on_its_own_claim_and_examples_on_none():
    why = {reason.route: reason for reason in advise(RICH).build}
    assert why[DISTILLING].claims == ("K12", "M8")
    assert "has not shown it" in why[EXAMPLES].why
    assert "M3" not in why[EXAMPLES].claims


def test_pages_that_are_not_there_have_to_be_collected():
    advice = advise(replace(RICH, documents="none"))
    why = {reason.route: reason.why for reason in advice.build}
    assert "collect the pages" in why[RETRIEVAL]
    assert "collect" not in {r.route: r.why for r in advise(RICH).build}[RETRIEVAL]


def test_an_answer_that_is_none_is_said_with_those_that_are():
    with pytest.raises(CourseError, match="no answer to: What may training cost") as found:
        replace(RICH, budget="lots")
    assert "Choose from none, some, much." in str(found.value)
