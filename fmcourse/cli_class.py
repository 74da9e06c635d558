"""`fmcourse class …`: exercises and solutions, made of one text."""

from __future__ import annotations

from typing import Annotated

import typer

classroom = typer.Typer(no_args_is_help=True, help="Make the exercises of their solutions.")


@classroom.callback()
def _group() -> None:
    """So that the one command has a name."""


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
