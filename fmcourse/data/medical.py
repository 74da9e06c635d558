"""Medical yes, no or maybe: what a research abstract answers to the question it asked.

PubMedQA's 500 questions that people answered, as a task of reading: the abstract comes without its
conclusion, so the answer has to be drawn from what was found. Abstracts are long for a small model
and end with their results, so they are shortened from the front, by whole sentences. Every part
has yes, no and maybe in the same proportion, since a tenth of the answers are maybe.

Trade-off: more than half of the answers are yes. A model that says nothing else looks half right,
so `evaluate.label_rates` shows macro-F1, and what the commonest answer alone would earn. Besides,
the abstracts are in `data.domain("medical")`: a model trained on that has read some of these, but
no answer.
"""

from __future__ import annotations

from dataclasses import replace

from datasets import Dataset, DatasetDict
from sklearn.model_selection import train_test_split

from fmcourse import sources
from fmcourse.data.card import card, with_card
from fmcourse.data.sentences import trailing
from fmcourse.data.split import check_no_leak
from fmcourse.data.task_rows import Row, distinct, only, task_row
from fmcourse.errors import DataError

ANSWERS = ("yes", "no", "maybe")
SHORTEST = 150  # characters of an abstract below which nothing can be drawn from it


def medical_questions(seed: int = 0, longest: int = 900, validation: int = 50, test: int = 150
                      ) -> DatasetDict:
    """Questions with the abstracts that answer them: yes, no or maybe.

    Args:
        seed: which questions are held out.
        longest: characters of an abstract; its last whole sentences, where the results are.
        validation, test: questions in these parts; the rest is train.

    Returns:
        Parts train, validation and test, which share no abstract; columns `messages`, `prompt`,
        `completion` (the answer), `document` (the question) and `text`.

    Raises:
        DataError: too few questions for these sizes.
    """
    return by_answer(sources.load("pubmed"), seed, longest, validation, test)


def by_answer(questions: Dataset, seed: int, longest: int, validation: int, test: int
              ) -> DatasetDict:
    """`medical_questions` from rows of the reader `pubmedqa`."""
    log = replace(card(questions), name="medical_questions")
    rows, log = only(questions.to_list(), log, "answered by people",
                     lambda row: row["answered_by"] == "people" and row["answer"] in ANSWERS)
    rows, log = distinct(rows, log, "text", 0.5)
    for row in rows:
        row["abstract"] = trailing(row["text"], longest)
    rows, log = only(rows, log, f"{SHORTEST} to {longest} characters in whole sentences",
                     lambda row: len(row["abstract"]) >= SHORTEST)
    made = [task_row(_prompt(row), row["answer"], row["document"]) for row in rows]
    parts = DatasetDict()
    for part, own in zip(("train", "validation", "test"), _split(made, seed, validation, test),
                         strict=True):
        parts[part] = with_card(Dataset.from_list(own), log.step(
            f"{part} part", len(own), len(made) - len(own), "drawn answer by answer"))
    check_no_leak(parts)
    return parts


def _prompt(row: Row) -> str:
    asked = row["question"].rstrip(" ?")
    return (f"{row['abstract']}\n\nQuestion: {asked[:1].upper()}{asked[1:]}?\n"
            "Answer yes, no or maybe.")


def _split(rows: list[Row], seed: int, *held_out: int) -> list[list[Row]]:
    """What is left of the rows, and a part of each size with its share of every answer."""
    parts = []
    for size in held_out:
        try:
            rows, part = train_test_split(rows, test_size=size, random_state=seed,
                                          stratify=[row["completion"] for row in rows])
        except ValueError as error:
            raise DataError(f"{len(rows)} questions are too few to hold {size} out.",
                            where="data.medical_questions",
                            fix="Ask for smaller parts.") from error
        parts.append(part)
    return [rows, *parts]
