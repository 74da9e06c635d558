"""A class's marks as tables: for a gradebook, for the next lesson, and for who needs a word.

`marks.csv` has a row for each learner and exercise, and is what the other tables are made of.
`gradebook.csv` has the columns of nbgrader's own export; `lms.csv` a row a learner and a column a
lesson, which Moodle, Canvas and a spreadsheet import. The statistics count, for each exercise, who
solved it and which mistakes were made: those that its check names by their sentence, the rest by
kind.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from fmcourse import store
from fmcourse.classroom.check import DIFFERS, FAILS, MISTAKE, RIGHT, UNWRITTEN
from fmcourse.classroom.grading import LACKS, PARTLY, WAITS, Mark
from fmcourse.errors import ExerciseError

QUOTE = "'"  # before a text that a spreadsheet would take for a formula, or that begins with it
FORMULA = ("=", "+", "-", "@", "\t", "\r", QUOTE)  # how such a text begins
MARKS, GRADEBOOK, LMS = "marks.csv", "gradebook.csv", "lms.csv"
COLUMNS = [one.name for one in fields(Mark)]
TEXTS = ["learner", "lesson", "exercise", "kind", "says"]  # a learner may be called 0012345
KINDS = {DIFFERS: "another mistake", FAILS: "an error", UNWRITTEN: "not written",
         WAITS: "not marked yet"}
NBGRADER = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
            "raw_score", "late_submission_penalty", "score", "max_score"]  # nbgrader export


def refuse_others(folder: Path) -> None:
    """Keep tables of somebody else's, of the same names, from being replaced by these.

    Raises:
        ExerciseError: there is one.
    """
    for name, first in {MARKS: ",".join(COLUMNS), GRADEBOOK: ",".join(NBGRADER),
                        LMS: "learner,"}.items():
        if not (folder / name).is_file():
            continue
        try:
            with open(folder / name, encoding="utf-8") as file:
                ours = file.readline().startswith(first)
        except (OSError, UnicodeDecodeError):
            ours = False
        if not ours:
            raise ExerciseError("Marks are to be written here, and this table is another one.",
                                where=folder / name, fix="Name another folder: --to FOLDER.")


def write(marks: Iterable[Mark], folder: Path) -> list[Path]:
    """Write the three tables; returns their files. Those of an earlier grading are replaced."""
    refuse_others(folder)
    table = pd.DataFrame([{name: _whole(value) for name, value in asdict(mark).items()}
                          for mark in marks], columns=COLUMNS)
    made = {MARKS: table, GRADEBOOK: exported(table), LMS: by_learner(table)}
    store.made_folder(folder)
    try:
        for name, one in made.items():
            one.map(_harmless).to_csv(folder / name, index=False, quoting=csv.QUOTE_MINIMAL)
    except OSError as error:
        raise ExerciseError(f"The tables cannot be written: {error.strerror}.",
                            where=error.filename or folder,
                            fix="Close it where it is open, or name another folder: --to") from None
    return [folder / name for name in made]


def read(path: Path) -> pd.DataFrame:
    """The marks of a `marks.csv`.

    Raises:
        ExerciseError: this is none.
    """
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys(TEXTS, str))
        if [*table.columns] == COLUMNS:
            table = table.astype({"points": int, "of": int, "hidden": bool})
    except (OSError, ValueError) as error:
        raise ExerciseError("The marks cannot be read.", where=f"{path}: {error}",
                            fix="fmcourse class grade FOLDER writes them.") from None
    if [*table.columns] != COLUMNS:
        raise ExerciseError("This is no table of marks.", where=path,
                            fix=f"Give the {MARKS} that fmcourse class grade has written.")
    table[TEXTS] = table[TEXTS].map(lambda text: text.removeprefix(QUOTE))
    return table


def marks(table: pd.DataFrame) -> list[Mark]:
    """The rows of a table of marks."""
    return [Mark(**row) for row in table.to_dict("records")]


def exported(marks: pd.DataFrame) -> pd.DataFrame:
    """Scores in the columns of `nbgrader export`; names and dates, not known here, are blank."""
    sums = _sums(marks).rename(columns={
        "lesson": "assignment", "learner": "student_id", "points": "score", "of": "max_score"})
    sums["raw_score"], sums["late_submission_penalty"] = sums["score"], 0
    return sums.reindex(columns=NBGRADER, fill_value="")


def by_learner(marks: pd.DataFrame) -> pd.DataFrame:
    """A row a learner: points for each lesson, with the most there are in its title, and all."""
    sums = _sums(marks)
    most = sums.groupby("lesson")["of"].max()
    table = sums.pivot(index="learner", columns="lesson", values="points")
    table["total"] = table.sum(axis=1)
    titles = {name: f"{name} (of {points})" for name, points in most.items()}
    return table.rename(columns={**titles, "total": f"total (of {most.sum()})"}).rename_axis(
        columns=None).reset_index()


def statistics(table: pd.DataFrame) -> pd.DataFrame:
    """What each exercise was to a class.

    Returns:
        A row for each exercise and mistake, the frequent ones first: `lesson`, `exercise`, `solved`
        (of all, as '3 of 4'), `mistake` (its sentence, or another kind in a word or two),
        `learners` (how many made it) and `who`. An exercise that all have solved has one row. Of
        prose a mistake is a point that the rubric has and an answer has not earned.
    """
    rows = []
    for (lesson, exercise), part in table.groupby(["lesson", "exercise"], sort=False):
        solved = f"{(part['kind'] == RIGHT).sum()} of {len(part)}"
        made: dict[str, list[str]] = {}
        for mark in marks(part[part["kind"] != RIGHT]):
            for reason in _reasons(mark):
                made.setdefault(reason, []).append(mark.learner)
        found = sorted(made.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        rows += [(lesson, exercise, solved, reason, len(who), ", ".join(who))
                 for reason, who in found or [("", [])]]
    return pd.DataFrame(rows, columns=["lesson", "exercise", "solved", "mistake", "learners",
                                       "who"])


def _reasons(mark: Mark) -> Iterator[str]:
    """What was wrong with an answer, in the words that it is counted by."""
    if mark.kind == PARTLY:
        yield from (f"lacks {name}" for name in mark.says.removeprefix(LACKS).split("; "))
    else:
        yield mark.says if mark.kind == MISTAKE else KINDS.get(mark.kind, mark.kind)


def stuck(marks: pd.DataFrame) -> pd.DataFrame:
    """Who is stuck: learners with exercises that they tried and did not solve, the most first.

    Returns:
        `learner`, `solved`, `tried` (and not solved), `not written` (counts of exercises), and
        `stuck at`: those of the tried ones that most of the class has solved.
    """
    share = (marks["kind"] == RIGHT).groupby([marks["lesson"], marks["exercise"]]).mean()
    rows = []
    for learner, part in marks.groupby("learner"):
        tried = part[~part["kind"].isin([RIGHT, UNWRITTEN, WAITS, PARTLY])]
        alone = [row.exercise for row in tried.itertuples()
                 if share[row.lesson, row.exercise] > 0.5]
        rows.append((learner, int((part["kind"] == RIGHT).sum()), len(tried),
                     int((part["kind"] == UNWRITTEN).sum()), ", ".join(alone)))
    table = pd.DataFrame(rows, columns=["learner", "solved", "tried", "not written", "stuck at"])
    return table[table["tried"] > 0].sort_values(
        ["tried", "learner"], ascending=[False, True], ignore_index=True)


def _sums(marks: pd.DataFrame) -> pd.DataFrame:
    return marks.groupby(["lesson", "learner"], as_index=False)[["points", "of"]].sum()


def _whole(value: object) -> object:
    """A text without half letters, which a message of a learner's program may hold."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _harmless(value: object) -> object:
    """A text that no spreadsheet takes for a formula; learners choose their folders' names.

    >>> _harmless("=HYPERLINK(0)"), _harmless(-3)
    ("'=HYPERLINK(0)", -3)
    """
    return QUOTE + value if isinstance(value, str) and value.startswith(FORMULA) else value
