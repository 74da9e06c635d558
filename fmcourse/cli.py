"""The `fmcourse` command: every job of the course that is not a notebook cell.

Commands are thin, and import what they need when they run, so that `fmcourse --help` answers in
well under a second. A `CourseError` is printed as its message; Ctrl-C ends with one line.
"""

from __future__ import annotations

import re
import sys
import warnings
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from fmcourse.cli_aws import aws
from fmcourse.cli_choose import choose
from fmcourse.cli_class import classroom
from fmcourse.cli_data import records
from fmcourse.cli_exam import exam
from fmcourse.cli_progress import progress
from fmcourse.cli_room import room
from fmcourse.cli_ship import export, serve, verify
from fmcourse.cli_training import Method, Rank, training
from fmcourse.errors import CourseError, CourseWarning

app = typer.Typer(name="fmcourse", no_args_is_help=True, add_completion=False,
                  pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Take one language model through its whole life, and measure every step.")
app.add_typer(training, name="train")
app.add_typer(records, name="data")
app.add_typer(aws, name="aws")
app.add_typer(exam, name="exam")
app.add_typer(progress, name="progress")
classroom.add_typer(room)
app.add_typer(classroom, name="class")
for command in (choose, export, verify, serve):
    app.command()(command)

Lessons = Annotated[list[str] | None, typer.Argument(help="Numbers or names; none means all.")]
FAILED = 1


def main() -> None:
    """Entry point: errors that a person can mend become their message and exit code 1."""
    warnings.showwarning = _note
    try:
        app()
    except CourseError as error:
        print(_in_terminal(str(error)), file=sys.stderr)
        sys.exit(FAILED)
    except SystemExit as ending:
        if ending.code == 130:  # Typer has turned Ctrl-C into this
            print("\nInterrupted.", file=sys.stderr)
        raise


def _in_terminal(text: str) -> str:
    """A message that names a setting of a recipe or an adapter, with the option that sets it.

    >>> _in_terminal("where: InstructRecipe.max_length")
    'where: --max-length'
    """
    return re.sub(r"\b(?:[A-Z]\w*Recipe|Adapter)\.(\w+)",
                  lambda found: "--" + found[1].replace("_", "-"), text)


def _note(message: Warning | str, category: type[Warning], *_: object) -> None:
    """A warning of the course as one line; those of libraries are for programmers."""
    if issubclass(category, CourseWarning):
        print(f"note: {message}", file=sys.stderr)


@app.command()
def doctor(offline: Annotated[bool, typer.Option(
        "--offline", help="Do not ask whether the network can be reached.")] = False) -> None:
    """Examine this machine, and say how to mend what is wrong."""
    from fmcourse import doctor as examination

    raise typer.Exit(examination.main(online=not offline))


@app.command()
def run(lessons: Lessons = None, scale: Annotated[str | None, typer.Option(
        help="smoke, cpu or gpu; by default $FMCOURSE_SCALE, else what the hardware allows.",
        )] = None) -> None:
    """Execute lessons, and write an HTML copy to read."""
    from fmcourse.lessons.run import run as run_lessons

    outcomes = run_lessons(lessons or [], scale)
    raise typer.Exit(FAILED if any(outcome.failure for outcome in outcomes) else 0)


@app.command()
def lab(lesson: Annotated[str, typer.Argument(help="A number or a name.")] = "00",
        browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
        port: Annotated[int | None, typer.Option(help="Port of the server.")] = None) -> None:
    """Open JupyterLab on a lesson."""
    from fmcourse.lessons.lab import lab as open_lab

    raise typer.Exit(open_lab(lesson, browser, port))


@app.command()
def build(lessons: Lessons = None, check: Annotated[bool, typer.Option(
        "--check", help="Change nothing; fail when a notebook and its master differ.")] = False,
        ) -> None:
    """Make the notebooks of their masters in notebooks/src."""
    from fmcourse.lessons import build as builder
    from fmcourse.lessons import catalogue

    problems = []
    for lesson in catalogue.select(lessons or []):
        if check:
            problems += builder.check(lesson)
        else:
            builder.build(lesson)
            typer.echo(f"built {lesson.notebook}")
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(FAILED if problems else 0)


@app.command()
def book(folder: Annotated[Path | None, typer.Argument(
        help="Where it is to lie; by default site/book in the course's folder.")] = None) -> None:
    """Write the revision book: a page a claim, to read and search without network."""
    from fmcourse.book import write
    from fmcourse.lessons import catalogue

    typer.echo(f"To read: {write(folder or catalogue.root() / 'site' / 'book')}")


@app.command()
def fetch(names: Annotated[list[str] | None, typer.Argument(help="Sources; none: all.")] = None,
          wheelhouse: Annotated[Path | None, typer.Option(
              help="Also keep the archives in this folder, to carry to a machine without network "
                   "(there: FMCOURSE_WHEELHOUSE=folder).")] = None) -> None:
    """Fetch and verify the texts and models that lessons read."""
    from fmcourse import sources
    from fmcourse.lessons import supplies

    wanted = [sources.get(name) for name in names or sources.registry()]
    failed = False
    answers = supplies.bring_all(source.name for source in wanted)
    for source, (name, status) in zip(wanted, answers, strict=True):
        if isinstance(status, CourseError):
            typer.echo(str(status), err=True)
            failed = True
            continue
        typer.echo(f"{name:20} {supplies.megabytes(supplies.size(status.path)):>10}  "
                   f"{source.sha256[:12] or 'with Python':12}  {source.licence}")
        if wheelhouse:
            supplies.carry(source, wheelhouse)
    if wheelhouse:
        typer.echo(f"On the other machine: export FMCOURSE_WHEELHOUSE={wheelhouse}")
    raise typer.Exit(FAILED if failed else 0)


@app.command()
def attribution(check: Annotated[bool, typer.Option(
        "--check", help="Change nothing; fail when the file is out of date.")] = False) -> None:
    """Write ATTRIBUTION.md: who made what the course reads."""
    from fmcourse import sources, store
    from fmcourse.lessons import catalogue

    path, text = catalogue.root() / "ATTRIBUTION.md", sources.attribution()
    if not check:
        store.atomic_write(path, text)
        typer.echo(f"wrote {path}")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        raise CourseError("The attribution file does not match the registry of sources.",
                          where=path, fix="fmcourse attribution")


@app.command()
def chat(name: Annotated[str, typer.Argument(
        help="base, smollm2, a folder (such as a run's model), or a hub id.")] = "smollm2",
         system: Annotated[str, typer.Option(help="A message that sets the scene.")] = "",
         tokens: Annotated[int, typer.Option(help="Longest reply.", min=1)] = 128,
         temperature: Annotated[float, typer.Option(help="0 is the likeliest reply.", min=0)] = 0.0,
         ) -> None:
    """Talk to a model in the terminal; an empty line or Ctrl-D ends it."""
    from fmcourse import models
    from fmcourse.models import compat

    compat.quiet()
    talk = models.Chat(models.load(name), system=system, tokens=tokens, temperature=temperature)
    while said := _asked():
        try:
            typer.echo(f"{talk.say(said)}\n")
        except CourseError as error:
            typer.echo(f"{error}\n", err=True)


def _asked() -> str:
    """What the user says next; nothing when they have said all."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""


@app.command()
def memory(model: Annotated[str, typer.Option(
        help="1b, 3b, 7b, 8b, 13b, 70b, 405b; base, smollm2, or a folder.")] = "7b",
           method: Method = "qlora",
           sequence: Annotated[int, typer.Option(help="Tokens in a row.", min=1)] = 2048,
           batch: Annotated[int, typer.Option(help="Rows in a forward pass.", min=1)] = 1,
           rank: Rank = 16,
           frozen: Annotated[str, typer.Option(
               help="Type of weights that are not trained.")] = "bfloat16",
           checkpointing: Annotated[bool, typer.Option(
               "--checkpointing", help="Keep only each layer's input.")] = False) -> None:
    """Tell how much memory training takes, and which GPU it fits on, before anything is trained."""
    from fmcourse import train
    from fmcourse.models import Adapter, compat

    compat.quiet()
    adapter = Adapter(method, rank=rank)
    low_rank = f" of rank {rank}" if adapter.kind == "low rank" else ""
    still = "" if method == "full" else (
        f"frozen weights in {'4 bits' if method == 'qlora' else frozen}, ")
    kept = "each layer's input kept" if checkpointing else "all activations kept"
    typer.echo(f"{model} by {method}{low_rank}: {batch} × {sequence:,} tokens, {still}{kept}")
    typer.echo(train.memory(model, adapter, sequence=sequence, batch=batch,
                            frozen=frozen, checkpointing=checkpointing))


@app.command()
def evidence(claims: Annotated[list[str] | None, typer.Argument(help="Such as K1.")] = None,
             seeds: Annotated[int | None, typer.Option(help="How many seeds.", min=1)] = None,
             check: Annotated[bool, typer.Option(
                 "--check", help="Train nothing; recompute the ledger's verdicts.")] = False,
             ) -> None:
    """Run the experiments behind the course's claims."""
    from fmcourse import evidence as ledger

    if not check:
        ledger.run_claims(claims or [], **({"seeds": range(seeds)} if seeds else {}))
        return
    for name in claims or ledger.claims():
        record = ledger.read(name)
        ledger.check(record)
        typer.echo(f"{name}: {record['verdict']}, as its values say")


@app.command()
def clean(names: Annotated[list[str] | None, typer.Argument(
        help="Folders of the store; none means all but what you did by hand.")] = None,
          yes: Annotated[bool, typer.Option("--yes", help="Delete them.")] = False) -> None:
    """Say what the course keeps on this disk, or delete it."""
    from fmcourse import store
    from fmcourse.lessons import supplies

    held = supplies.kept()
    unknown = sorted(set(names or []) - set(supplies.ROOMS))
    if unknown:
        raise CourseError(f"The course keeps nothing called {', '.join(unknown)}.",
                          where=store.home(), fix=f"Choose from {', '.join(supplies.ROOMS)}.")
    chosen = [name for name in held if not names or name in names]
    spared = [] if names else [name for name in chosen if name in supplies.BY_HAND]
    doomed = [name for name in chosen if name not in spared]
    for folder, group in groupby(chosen, lambda name: supplies.place(name).parent):
        typer.echo(f"In {folder}:")
        for name in group:
            typer.echo(f"  {name:10} {supplies.megabytes(held[name]):>12}  {supplies.ROOMS[name]}")
    if not chosen:
        typer.echo(f"In {store.home()}:\n  nothing")
    elif yes:
        supplies.delete(doomed)
        typer.echo(f"Deleted: {', '.join(doomed) or 'nothing'}.")
    else:
        typer.echo("Nothing was deleted; --yes does it.")
    if spared:
        typer.echo("What you did by hand is deleted only by its name: "
                   f"fmcourse clean {' '.join(spared)} --yes")


if __name__ == "__main__":
    main()
