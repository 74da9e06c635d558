"""House style: every completion follows the guide, facts come with the prompt, nothing leaks."""

import pytest
from datasets import Dataset, DatasetDict

from fmcourse import data, evaluate
from fmcourse.data import Card, with_card
from fmcourse.data.house_style import guide, in_style
from fmcourse.errors import DataError

SERVICES = {"train": "Amazon Lamp", "validation": "AWS Chair", "test": "AWS Table"}
VERBS = ("Stops", "Starts", "Reads", "Writes", "Moves", "Opens", "Closes", "Turns", "Lifts",
         "Cleans", "Paints", "Breaks")


def text(name: str, service: str, about: str, kind: str = "operation") -> dict:
    return {"text": f"{name} is an operation of {service}.\n\n{about}", "name": name, "kind": kind,
            "service": service, "document": service.lower()}


def documentation(**more: list[dict]) -> DatasetDict:
    parts = DatasetDict()
    for part, service in SERVICES.items():
        rows = [text(f"{verb[:-1]}It", service, f"{verb} {service.split()[1]}s number {i} at once.")
                for i, verb in enumerate(VERBS)]
        rows += more.get(part, [])
        whole = Card("aws", {"tiny": "0" * 64}).step(f"{part} part", len(rows), 0)
        parts[part] = with_card(Dataset.from_list(rows), whole)
    return parts


SIZES = {"test": 4, "validation": 3, "train": 8}


def test_rows_ask_with_the_fact_and_answer_in_style():
    parts = in_style(documentation(), sizes=SIZES)
    assert {name: len(part) for name, part in parts.items()} == SIZES
    for part in parts.values():
        for row in part:
            assert row["fact"] in row["prompt"]
            assert row["operation"] in row["prompt"]
            assert row["product"] in row["prompt"]
            assert guide().closing not in row["prompt"]
        assert evaluate.style_rates(part["completion"][:], part)["rate"].tolist() == [1.0] * 9
        assert data.card(part).steps[-1]["note"] == "by service"


def test_what_the_style_cannot_say_is_left_out():
    bad = [text("A", "AWS Table", "Stops the best of all tables now."),
           text("B", "AWS Table", "Stops it now! Or tomorrow, or never."),
           text("C", "AWS Table", "Stops a table.\n\nParameters\nOne: the first of them."),
           text("D", "AWS Table", "Stops " + "a very old " * 20 + "table.")]
    parts = in_style(documentation(test=bad), sizes={**SIZES, "test": 40})
    assert len(parts["test"]) == len(VERBS)
    assert {row["operation"] for row in parts["test"]}.isdisjoint("ABCD")


def test_facts_of_held_out_parts_leave_train():
    shared = text("ShareIt", "Amazon Lamp", "Stops Tables number 0 at once.")
    parts = in_style(documentation(train=[shared]), sizes=dict.fromkeys(SIZES, 40))
    assert "ShareIt" not in parts["train"]["operation"][:]
    assert "StopIt" in parts["test"]["operation"][:]


def test_seeds_draw_other_rows():
    drawn = [in_style(documentation(), seed, SIZES)["train"]["prompt"][:] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_part_without_facts_is_an_error():
    parts = documentation()
    parts["test"] = with_card(parts["test"].select([0]), Card("aws", {}))
    parts["test"] = parts["test"].map(lambda row: {
        "text": row["text"].replace("at once", "at once for the best of reasons")})
    with pytest.raises(DataError, match="test part has no usable"):
        in_style(parts, sizes=SIZES)


def test_the_plain_control_has_the_same_questions_and_the_bare_facts():
    styled = in_style(documentation(), sizes=SIZES)["train"]
    plain = data.plain_style(styled)
    assert plain["prompt"][:] == styled["prompt"][:]
    assert plain["completion"][:] == styled["fact"][:]
    assert [turns[1]["content"] for turns in plain["messages"]] == styled["fact"][:]
    assert data.card(plain).sha256 != data.card(styled).sha256
    rates = evaluate.style_rates(plain["completion"][:], plain).set_index("measure")["rate"]
    assert rates["content kept"] == 1
    assert rates["opening"] == rates["closing"] == 0
