"""`fmcourse choose`: six questions, and advice on what to build, with the course's evidence."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from fmcourse.errors import CourseError, meant

if TYPE_CHECKING:
    from fmcourse.evidence.choosing import Reason, Shown

WIDTH = 96  # columns of the advice


def choose(
    examples: Annotated[str, typer.Option(help="Of good replies: none, few or hundreds.")] = "",
    documents: Annotated[str, typer.Option(help="Text of the field: none, some or much.")] = "",
    facts: Annotated[str, typer.Option(help="That are needed: none, fixed or changing.")] = "",
    speed: Annotated[str, typer.Option(help="Of replies: any, or fast (and cheap).")] = "",
    budget: Annotated[str, typer.Option(help="For training: none, some or much.")] = "",
    place: Annotated[str, typer.Option(help="Who runs it: managed, or own.")] = "",
) -> None:
    """Ask six questions, and say what to build first; an option answers its question."""
    from fmcourse.evidence import choosing

    given = {"examples": examples, "documents": documents, "facts": facts, "speed": speed,
             "budget": budget, "place": place}
    for name, answer in given.items():
        if answer:
            choosing.check(name, answer)
    for name, answer in given.items():
        given[name] = answer or _asked(name)
    advice = choosing.advise(choosing.Situation(**given))
    typer.echo("\nBuild, in this order, and measure each against the one before:\n")
    for number, reason in enumerate(advice.build, 1):
        typer.echo("\n".join(_told(f"{number}. {reason.route}", reason)))
    typer.echo("\nLeave, for now:\n")
    for reason in advice.leave:
        typer.echo("\n".join(_told(f"-  {reason.route}", reason)))
    repeat = " ".join(f"--{name} {answer}" for name, answer in given.items())
    typer.echo(f"\nTo see this again: fmcourse choose {repeat}")


def _asked(name: str) -> str:
    """An answer from the keyboard: its word, its beginning, or its number."""
    from fmcourse.evidence.choosing import QUESTIONS

    question = QUESTIONS[name]
    typer.echo(f"\n{question.asks}")
    for number, (answer, means) in enumerate(question.answers.items(), 1):
        typer.echo(f"  {number}  {answer:10} {means}")
    while True:
        try:
            return understood(input("> "), question.answers)
        except EOFError:
            raise CourseError("Without an answer there is no advice.", where=name,
                              fix=f"Answer, or give it: --{name} "
                                  f"{next(iter(question.answers))}.") from None
        except CourseError as error:
            typer.echo(str(error), err=True)


def understood(said: str, answers: Iterable[str]) -> str:
    """The answer meant by a number, a word or its beginning.

    Raises:
        CourseError: it could be none of them, or several.

    >>> understood("2", ["none", "some"]), understood(" S ", ["none", "some"])
    ('some', 'some')
    """
    known, word = list(answers), said.strip().lower()
    if word.isdecimal() and 1 <= int(word) <= len(known):
        return known[int(word) - 1]
    found = [answer for answer in known if word and answer.startswith(word)]
    if len(found) != 1:
        raise CourseError(f"{said.strip()!r} is no answer here.",
                          fix=f"A number from 1 to {len(known)}, or a word. {meant(word, known)}")
    return found[0]


def _told(heading: str, reason: Reason) -> Iterator[str]:
    yield f"{heading}: {_wrapped(reason.why, len(heading) + 2)}"
    for one in reason.rests_on:
        yield textwrap.fill(_evidence(one), WIDTH, initial_indent=" " * 5,
                            subsequent_indent=" " * 9)


def _wrapped(text: str, first: int) -> str:
    lines = textwrap.wrap(text, WIDTH, initial_indent=" " * first, subsequent_indent=" " * 3)
    return "\n".join(lines).lstrip()


def _evidence(one: Shown) -> str:
    """A measure with its own verdict and effect, and the lesson where the course shows it."""
    from fmcourse.evidence import choosing
    from fmcourse.lessons import catalogue

    lesson = next(each for each in catalogue.lessons() if one.claim in each.claims)
    found = choosing.measured(one)
    said = "not run yet"
    if found:
        unit = "×" if found["effect_is"] == "ratio" else ""
        said = f"{found['verdict']}, {found['effect']:.3g}{unit} better"
    return (f"{one.claim} ({said}): “{one.metric}”, {one.treatment} against {one.control}; lesson "
            f"{lesson.number} ({lesson.notebook.relative_to(lesson.root)})")
