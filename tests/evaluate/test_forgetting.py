"""The table of what training changed."""

import pytest
import tiny

from fmcourse import evaluate
from fmcourse.errors import DataError


def test_a_model_has_forgotten_nothing_of_itself():
    model = tiny.model()
    table = evaluate.forgetting(model, model, tiny.texts()[:3], tiny.texts()[3:6], pairs=30)
    assert (table["change"] == 0).all()
    assert list(table["measure"]) == [
        "general bits per byte", "grammar pairs right", "domain bits per byte"]


def test_changes_are_after_minus_before_on_the_texts_given():
    before, after = tiny.model(seed=0), tiny.model(seed=1, scale=3.0)
    general, domain = tiny.texts()[:3], tiny.texts()[3:6]
    table = evaluate.forgetting(before, after, general, domain, pairs=30).set_index("measure")
    row = table.loc["general bits per byte"]
    assert row["after"] == pytest.approx(evaluate.bits_per_byte(after, general, 32))
    assert row["before"] == pytest.approx(evaluate.bits_per_byte(before, general, 32))
    assert table.loc["domain bits per byte", "after"] == pytest.approx(
        evaluate.bits_per_byte(after, domain, 32))
    assert (table["change"] == table["after"] - table["before"]).all()
    assert table["better"].tolist() == ["lower", "higher", "lower"]


def test_questions_are_asked_when_given():
    operations = [(f"Get{thing}{name}", f"Amazon {name[::-1]}") for thing in ("Lamp", "Door")
                  for name in ("Fox", "Owl", "Hen", "Bat")]
    items, model = evaluate.operation_items(operations), tiny.model()
    table = evaluate.forgetting(model, model, tiny.texts()[:1], tiny.texts()[1:2], items, 30)
    assert table["measure"].iloc[-1] == "domain questions right"


def test_no_text_is_an_error():
    with pytest.raises(DataError, match="both kinds"):
        evaluate.forgetting(tiny.model(), tiny.model(), [], tiny.texts()[:1])
