"""`fmcourse progress`: where you stand, and how to take it to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

progress = typer.Typer(help="Show what you did: lessons, exercises, exam; only on this machine.")


@progress.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """Show what you did: lessons, exercises, exam; only on this machine."""
    if context.invoked_subcommand:
        return
    from fmcourse.classroom import standing
    from fmcourse.progress import path

    typer.echo(standing.progress())
    typer.echo(f"\nKept in {path()}")


@progress.command("export")
def export(out: Annotated[Path, typer.Argument(help="A JSON file to write.")]) -> None:
    """Write progress, labels, rankings and mock exams to one file."""
    from fmcourse.classroom import carrying

    typer.echo(f"wrote {carrying.write(out)}")


@progress.command("import")
def read(file: Annotated[Path, typer.Argument(help="What `export` wrote elsewhere.")]) -> None:
    """Add what such a file holds to what is here; nothing here is overwritten by something else."""
    from fmcourse.classroom import carrying

    typer.echo(carrying.read(file))
