"""`fmcourse class …` for the one who teaches: ready seats, a bundle for a room, slides."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

room = typer.Typer()


@room.command("preflight")
def preflight(seat: Annotated[str | None, typer.Option(
        help="What to call this seat; by default the machine's name.")] = None) -> None:
    """Examine this seat before a class; the last line is JSON, to collect from all seats."""
    from fmcourse.classroom import preflight as flight

    started, findings = time.monotonic(), []
    for finding in flight.examine():
        findings.append(finding)
        typer.echo(flight.line(finding))
    typer.echo(flight.summary(findings, time.monotonic() - started, seat))
    raise typer.Exit(int(any(finding.status == flight.PROBLEM for finding in findings)))


@room.command("bundle")
def bundle(folder: Annotated[Path, typer.Argument(help="Where to make it, such as a USB stick.")],
           plan: Annotated[bool, typer.Option(
               "--plan", help="Only say what goes in, and how large it is.")] = False,
           check: Annotated[bool, typer.Option(
               "--check", help="Install it into a throw-away folder and run lessons there, "
                               "without a network.")] = False,
           lesson: Annotated[list[str] | None, typer.Option(
               help="Which lessons --check runs, such as 00,14, or all; by default 00.")] = None,
           ) -> None:
    """Make a folder to install and run the course from without a network."""
    from fmcourse import store
    from fmcourse.classroom import bundle as bundling
    from fmcourse.lessons import catalogue

    if check:
        lessons = lesson or ["00"]
        bundling.try_out(folder, [] if "all" in lessons else lessons, typer.echo)
        typer.echo(f"{folder} installs and runs without a network.")
        return
    planned = bundling.plan(catalogue.root())
    typer.echo(planned)
    if not plan:
        bundling.make(planned, store.made_folder(folder), typer.echo)
        typer.echo(f"wrote {folder}. To see that it works: fmcourse class bundle {folder} --check")


@room.command("slides")
def slides(lessons: Annotated[list[str] | None, typer.Argument(
        help="Numbers or names; none means all.")] = None,
           to: Annotated[Path | None, typer.Option(
               help="Folder to write to; by default site/slides.")] = None) -> None:
    """Make slides of lessons: one HTML file each, to show without a network."""
    from fmcourse import store
    from fmcourse.lessons import catalogue
    from fmcourse.lessons import slides as showing

    for lesson in catalogue.select(lessons or []):
        folder = store.made_folder(to or lesson.root / "site" / "slides")
        typer.echo(f"wrote {showing.write(lesson, folder)}")
