"""Case summaries: short, of whole sentences, and no case nearly in two parts."""

import pytest
from datasets import Dataset

from fmcourse import data
from fmcourse.data import Card, with_card
from fmcourse.data.legal import by_case

NAMES = ("Adams", "Baker", "Clark", "Davis", "Evans", "Frank", "Ghosh", "Hills", "Irwin", "Jones",
         "Klein", "Lopez", "Mason", "Nolan", "Owens", "Price", "Quinn", "Reyes", "Smith", "Tyler")


def case(number: int, **other: str) -> dict:
    who = " ".join(f"{NAMES[(number * step + step) % 20]}{number}" for step in range(1, 16))
    return {"text": f"In {1990 + number}, {who} sued the U.S. District of Columbia. They asked for "
                    f"{number} things of {who[::-1]}. The court heard {who} and it refused.",
            "document": f"case {number}", "source": "cases",
            "summary": f"Plaintiffs like {who[:90]} sued. They lost number {number}. It is over.",
            **other}


def made(*more: dict, longest: int = 1200):
    rows = [*map(case, range(40)), *more]
    cases = with_card(Dataset.from_list(rows), Card("cases", {"tiny": "0" * 64}))
    return by_case(cases, longest=longest, held_out=0.2)


def all_rows(parts) -> list[dict]:
    return [row for part in parts.values() for row in part]


def test_rows_are_shortened_at_sentence_ends():
    parts = made()
    assert {"train", "validation", "test"} == set(parts)
    assert len(all_rows(parts)) == 40
    for row in all_rows(parts):
        narrative = row["prompt"].removesuffix(
            "\n\nSummarise this case in one or two sentences.")
        assert narrative.startswith(row["lead"])
        assert row["lead"].endswith("U.S. District of Columbia.")
        assert narrative.endswith("refused.")
        assert row["completion"].endswith(f"number {row['document'].split()[1]}.")
        assert [turn["content"] for turn in row["messages"]] == [row["prompt"], row["completion"]]
    short = made(longest=400)
    assert all("refused" not in row["prompt"] for row in all_rows(short))


def test_notes_in_front_are_left_out():
    told = case(50)
    told["text"] = f"COVID-19 Summary: They lost.\n\n[Note: Not so.]\n\n{told['text']}"
    (row,) = (row for row in all_rows(made(told)) if row["document"] == "case 50")
    assert row["prompt"].startswith("In 2040")


@pytest.mark.parametrize("broken", [
    {"summary": "Short."}, {"summary": "Long " * 90 + "end."}, {"text": "It was."},
    {"text": case(3)["text"] + " Again."}, {"summary": case(3)["summary"]}])
def test_unusable_and_repeated_cases_are_dropped_and_counted(broken):
    parts = made(case(50, **broken))
    assert len(all_rows(parts)) == 40
    assert sum(step["dropped"] for step in data.card(parts["test"]).steps[:-1]) == 1
