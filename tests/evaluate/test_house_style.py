"""Rules of style: each can be broken alone, and content is judged apart."""

import pytest
from datasets import Dataset

from fmcourse.data.house_style import guide
from fmcourse.errors import DataError
from fmcourse.evaluate import style_grade, style_rates, wilson
from fmcourse.evaluate.house_style import BOTH, CONTENT, RULES, STYLE

PRODUCT, FACT = "Amazon Lamp", "Turns the lamp off for good."
GOLD = guide().reply(PRODUCT, "StopLamp", FACT)


def grade(reply: str) -> dict[str, bool]:
    return style_grade(reply, PRODUCT, FACT)


def test_the_houses_own_reply_fulfils_all():
    assert all(grade(GOLD).values())
    assert all(grade(f"  {GOLD}\n").values())


@pytest.mark.parametrize(("rule", "reply"), [
    ("opening", GOLD.replace("Thank you", "Thanks")),
    ("opening", f"Hello. {GOLD}"),
    ("product", GOLD.replace("Amazon Lamp", "the Lamp")),
    ("brief", GOLD.replace("\n", " It is so. It is.\n")),
    ("calm", GOLD.replace("StopLamp:", "StopLamp! So:")),
    ("words", GOLD.replace("Our guide", "Our Best guide")),
    ("closing", GOLD.replace("team", "Team")),
    ("closing", GOLD.replace("\n", " ")),
    ("closing", f"{GOLD} P.S.")])
def test_each_rule_can_be_broken_alone(rule, reply):
    found = grade(reply)
    assert [name for name in RULES if not found[name]] == [rule]
    assert (found[STYLE], found[CONTENT], found[BOTH]) == (False, True, False)


def test_words_are_forbidden_not_parts_of_words():
    assert grade(GOLD.replace("Our guide", "Our adjusted, bested guide"))["words"]
    assert not grade(GOLD.replace("Our guide", "Our GUARANTEED guide"))["words"]


def test_style_without_content_is_seen():
    found = grade(GOLD.replace("off", "on"))
    assert (found[STYLE], found[CONTENT], found[BOTH]) == (True, False, False)


def test_an_empty_reply_fulfils_nothing():
    assert not any(grade(" \n").values())


def test_rates_and_intervals():
    items = Dataset.from_list([{"product": PRODUCT, "fact": FACT}] * 4)
    table = style_rates([GOLD, GOLD.replace("off", "on"), FACT, ""], items).set_index("measure")
    assert table.index.tolist() == [*RULES, STYLE, CONTENT, BOTH]
    assert table["rate"].tolist() == [0.5, 0.5, 0.75, 0.75, 0.75, 0.5, 0.5, 0.5, 0.25]
    assert (table.loc[BOTH, "low"], table.loc[BOTH, "high"]) == wilson(1, 4)


def test_mistakes_of_the_caller_are_errors():
    items = Dataset.from_list([{"product": PRODUCT, "fact": FACT}])
    with pytest.raises(DataError, match="2 replies for 1"):
        style_rates([GOLD, GOLD], items)
