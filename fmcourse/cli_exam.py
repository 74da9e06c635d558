"""`fmcourse exam …`: practise, take a mock exam, review what is due, take the items along.

Every command is a thin layer over `fmcourse.exam`. Answers are kept one by one in the progress
file, so that each command goes on where it was left, or killed.
"""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fmcourse.errors import ExamError, meant

if TYPE_CHECKING:
    from fmcourse.exam.item import Item

exam = typer.Typer(no_args_is_help=True, help="Practise for the exam: items, a mock exam, a review "
                                              "that remembers.")

Claims = Annotated[list[str] | None, typer.Argument(help="Such as K9 M4; none: all.")]


@exam.command("practice")
def practice(claims: Claims = None,
             task: Annotated[str | None, typer.Option(help="3.1, 3.2, 3.3 or 3.4.")] = None,
             kind: Annotated[str | None, typer.Option(
                 "--type", help="multiple_choice, multiple_response, ordering or matching.",
                 )] = None,
             number: Annotated[int, typer.Option(help="How many.", min=1)] = 10) -> None:
    """Answer items, each explained at once; those never answered come first."""
    from fmcourse.exam import bank, review, terminal

    chosen = _chosen(bank.load(), claims or [], task, kind)
    seed = datetime.now().toordinal()
    terminal.practise(terminal.open_console(), review.practice(chosen, seed)[:number], seed)


@exam.command("mock")
def take_mock(new: Annotated[bool, typer.Option(
                  "--new", help="Forget the one that is under way.")] = False,
              seed: Annotated[int | None, typer.Option(
                  help="The same number asks the same questions.")] = None,
              questions: Annotated[int | None, typer.Option(
                  help="Fewer than 65; time, and what counts, are in proportion.", min=1, max=65,
                  )] = None,
              beyond: Annotated[bool, typer.Option(
                  "--beyond", help="Ask what goes beyond the exam, too.")] = False) -> None:
    """Take a mock exam, or go on with the one that is under way."""
    from fmcourse.exam import bank, mock, terminal, terminal_mock
    from fmcourse.exam.sheet import Sheet

    items, console = bank.load(), terminal.open_console()
    with Sheet().alone() as sheet:
        if new:
            sheet.discard()
        sitting = sheet.load(items)
        if sheet.lost:
            console.print(sheet.lost, soft_wrap=True)
        if sitting is None:
            seed = random.randrange(10**6) if seed is None else seed
            sitting = mock.draw(items, seed, datetime.now(), questions or mock.QUESTIONS, beyond)
            console.print(f"{sitting.about} Seed {sitting.seed}.\n{terminal_mock.HELP}")
        elif seed not in (None, sitting.seed) or questions not in (None, len(sitting.items)):
            raise ExamError(f"A mock exam of {len(sitting.items)} questions with seed "
                            f"{sitting.seed} is under way.", where=sheet.path,
                            fix="Go on with it without --seed and --questions, or add --new.")
        else:
            console.print(f"Going on with {len(sitting.items)} questions, {len(sitting.answers)} "
                          f"answered; --new begins another.\n{terminal_mock.HELP}")
        sitting = terminal_mock.take(console, sitting, items, sheet)
        if sitting.finished:
            terminal_mock.hand_in(console, sitting, items, sheet)


@exam.command("review")
def review(new: Annotated[int, typer.Option(
        help="Items never answered before, a day.", min=0)] = 10) -> None:
    """Answer what is due today, weak claims first."""
    from fmcourse.exam import bank, terminal

    terminal.review_due(terminal.open_console(), bank.load(), new, datetime.now().toordinal())


@exam.command("report")
def report() -> None:
    """Show what your latest answers say, claim by claim, and where to go back to."""
    from fmcourse.exam import bank, review, terminal
    from fmcourse.exam.item import BEYOND
    from fmcourse.exam.report import by_claim, by_task

    items = bank.load()
    answered = review.outcomes(items)
    if not answered:
        raise ExamError("Nothing has been answered yet.", fix="fmcourse exam practice")
    console = terminal.open_console()
    terminal.show_rows(console, "By claim, latest answers", by_claim(answered))
    terminal.show_rows(console, "By task statement, latest answers", by_task(answered))
    beyond = sum(item.beyond for item, _ in answered)
    console.print(f"{len(answered)} of {len(items)} items answered"
                  + (f", {beyond} of them {BEYOND}." if beyond else "."))


@exam.command("export")
def export(out: Annotated[Path, typer.Argument(
               help="File to write: .apkg (Anki), .html (to print), .md, or "
                    ".json (jupyterquiz).")],
           claims: Claims = None,
           force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
           ) -> None:
    """Write items and answers to take along."""
    from fmcourse import store
    from fmcourse.exam import bank
    from fmcourse.exam import export as exporting

    chosen = _chosen(bank.load(), claims or [], None, None)
    asked = exporting.askable(chosen, out)
    store.refuse_to_replace({out: None}, force)
    left = len(chosen) - len(asked)
    typer.echo(f"wrote {exporting.export(chosen, out)}; items: {len(asked)}"
               + (f"; left out, of types that it does not have: {left}" if left else ""))


@exam.command("check")
def check() -> None:
    """Check every item, count the bank, and try to answer it without knowledge (for writers)."""
    from fmcourse.exam import bank, statistics

    items = bank.load()
    bank.check_places(items)
    bank.check_dates(items, datetime.now().date())
    found = statistics.measure(items)
    typer.echo(found)
    for sentence in found.missing:
        typer.echo(f"missing: {sentence}")
    if found.leaks:
        raise ExamError("Keys can be guessed by: "
                        f"{', '.join(one.name for one in found.leaks)}.", where=bank.ITEMS,
                        fix="Rewrite options until it works no better than guessing; see "
                            "“No giveaways” in the README there.")


def _chosen(items: tuple[Item, ...], claims: list[str], task: str | None, kind: str | None
            ) -> list[Item]:
    """Items on any of the claims, of the task and type asked for; none means all.

    Raises:
        ExamError: a name that nobody knows, or no item is left.
    """
    from fmcourse.exam.bank import statements
    from fmcourse.exam.item import TASKS, TYPES

    wanted = [claim.upper() for claim in claims]
    for names, known in ((wanted, statements()), ([task], TASKS), ([kind], TYPES)):
        for name in names:
            if name is not None and name not in known:
                raise ExamError(f"There is no '{name}'.", fix=meant(name, known))
    chosen = [item for item in items if (not wanted or set(wanted) & set(item.claims))
              and task in (None, item.task) and kind in (None, item.type)]
    if not chosen:
        raise ExamError("The bank has no such item.", fix="Ask for less: leave an option out.")
    return chosen
