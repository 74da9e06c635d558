"""`fmcourse class …`: exercises and solutions made of one text, and a class's marks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from fmcourse.classroom.grading import Mark

REASONS = "reasons"  # the folder of answers in prose

classroom = typer.Typer(no_args_is_help=True, help="Make exercises, and grade them.")


@classroom.command("build")
def build(lessons: Annotated[list[str] | None, typer.Argument(
        help="Numbers or names; none means all that have exercises.")] = None,
          check: Annotated[bool, typer.Option(
              "--check", help="Change nothing; fail when a notebook is out of step.")] = False,
          ) -> None:
    """Make solutions/ and exercises/ of the texts in solutions/src."""
    from fmcourse.classroom import build as builder
    from fmcourse.classroom import masters

    problems = []
    for lesson in masters.with_exercises(lessons or []):
        if check:
            problems += builder.check(lesson)
        else:
            for copy in builder.build(lesson):
                typer.echo(f"built {copy.notebook}")
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(1 if problems else 0)


@classroom.command("grade")
def grade(folder: Annotated[Path, typer.Argument(
        help="Of submissions: FOLDER/learner/…/01_pretraining.ipynb, such as nbgrader's "
             "submitted/.", exists=True, file_okay=False)],
          to: Annotated[Path, typer.Option(help="Where the tables are written.")] = Path("grades"),
          secret: Annotated[Path | None, typer.Option(
              help="The file with the words that hidden cases are made from; by default "
                   "secret.txt beside the tables, which is made when it is missing.")] = None,
          seconds: Annotated[float, typer.Option(
              min=0.1, max=86_400, help="For a cell, and for all cases of an exercise.")] = 20,
          memory: Annotated[float, typer.Option(
              min=0.1, max=100_000, help="Gigabytes that a submission may use.")] = 2) -> None:
    """Grade notebooks on cases nobody has seen, each in a confined process of its own."""
    from fmcourse import store
    from fmcourse.classroom import desk, gradebook, grading, prose
    from fmcourse.classroom.confine import Limits

    store.made_folder(to)
    gradebook.refuse_others(to)
    words = grading.secret(secret or to / "secret.txt")
    pages = prose.Pages(to / REASONS)
    limits = Limits(seconds=seconds, memory=int(memory * 1e9))
    with desk.Desk(limits) as table:
        marks = [*grading.grade(folder, words, table, pages, typer.echo)]
    for sentence in table.lacking:
        typer.echo(sentence, err=True)
    for path in [*gradebook.write(marks, to), *pages.write()]:
        typer.echo(f"wrote {path}")
    _tell_waiting(marks, to)


@classroom.command("reasons")
def reasons(grades: Annotated[Path, typer.Argument(
        help="The folder that `fmcourse class grade` has written.")] = Path("grades")) -> None:
    """Count the points that you gave for answers in prose, and write the tables again."""
    from fmcourse.classroom import gradebook, grading, prose

    table = gradebook.read(grades / gradebook.MARKS)
    marks = grading.marked_again(gradebook.marks(table), prose.Pages(grades / REASONS))
    for path in gradebook.write(marks, grades):
        typer.echo(f"wrote {path}")
    _tell_waiting(marks, grades)


def _tell_waiting(marks: list[Mark], grades: Path) -> None:
    from fmcourse.classroom.grading import WAITS

    count = sum(mark.kind == WAITS for mark in marks)
    if count:
        typer.echo(f"{count} answers in prose wait for you in {grades / REASONS}; when you have "
                   f"marked them: fmcourse class reasons {grades}")


@classroom.command("statistics")
def statistics(marks: Annotated[Path, typer.Argument(
        help="The table that `fmcourse class grade` has written.")] = Path("grades", "marks.csv"),
               ) -> None:
    """Say which mistakes a class has made, exercise by exercise, and who is stuck."""
    from fmcourse.classroom import gradebook

    table = gradebook.read(marks)
    for found in (gradebook.statistics(table), gradebook.stuck(table)):
        _print(found)


def _print(table: pd.DataFrame) -> None:
    """A table for people; nothing in it is taken for markup."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(*table.columns)
    for row in table.itertuples(index=False):
        shown.add_row(*(escape(str(value)) for value in row))
    Console().print(shown)
