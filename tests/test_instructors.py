"""INSTRUCTORS.md: its commands exist, and its numbers are those of the lessons."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from fmcourse.cli import app
from fmcourse.lessons import catalogue

TEXT = (Path(__file__).parents[1] / "INSTRUCTORS.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S)
COMMANDS = sorted({found.strip() for found in [
    *re.findall(r"`(fmcourse [^`]+)`", TEXT),
    *(line.partition("#")[0].partition("|")[0] for fence in FENCES for line in fence.splitlines()
      if line.startswith("fmcourse"))]})


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_spelt_as_they_are(line):
    command, words = get_command(app), shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    if hasattr(command, "commands"):
        assert not words, f"there is no {words[0]}"


ROWS = {number: cells.split(" | ") for number, cells in re.findall(
    r"^\| (\d\d) [^|]+ \| (.*) \|$", TEXT, re.M)}


@pytest.mark.parametrize("lesson", catalogue.lessons(), ids=lambda lesson: lesson.number)
def test_minutes_and_exercises_are_those_of_the_lesson(lesson):
    machine, _, count, minutes = ROWS[lesson.number]
    assert float(machine) == lesson.minutes_cpu
    assert (count, minutes) == tuple(str(one) if one else "–" for one in exercises(lesson))


def exercises(lesson) -> tuple[int, int]:
    """How many a lesson's sheet has, and their minutes together."""
    sheet = lesson.root / "solutions" / "src" / f"{lesson.name}.py"
    found = re.findall(r"exercise=.* minutes=(\d+)", sheet.read_text("utf-8")) if (
        sheet.exists()) else []
    return len(found), sum(map(int, found))


def test_the_sums_are_those_of_the_rows():
    row, = re.findall(r"^\| \*\*together\*\* \| (.*) \|$", TEXT, re.M)
    machine, room, count, minutes = row.split(" | ")
    lessons = catalogue.lessons()
    counts, times = zip(*map(exercises, lessons), strict=True)
    assert int(machine) == sum(lesson.minutes_cpu for lesson in lessons)
    assert room == " to ".join(str(sum(int(cells[1].split(" to ")[end]) for cells in ROWS.values()))
                               for end in (0, -1))
    assert (int(count), int(minutes.replace(",", ""))) == (sum(counts), sum(times))
    assert f"All exercises are about {sum(times) / 60:.0f} hours" in TEXT


PLAN = re.findall(r"^\| (\d) \| (.*) \| (.*) \| (.*) \|$", TEXT, re.M)


def test_six_weeks_have_every_lesson_in_ninety_minutes_and_all_exercises():
    assert [week for week, *_ in PLAN] == [*"123456"]
    sessions = [re.findall(r"\b\d\d\b", cell.partition("exercises")[0].partition("(")[0])
                for _, one, two, _ in PLAN for cell in (one, two)]
    lessons = catalogue.lessons()
    assert [number for numbers in sessions for number in numbers] == [
        lesson.number for lesson in lessons][:-1]
    for numbers in sessions:
        assert sum(int(ROWS[number][1]) for number in numbers) <= 90
    home = re.findall(r"\b\d\d\b", " ".join(cell.partition("(90")[0] for *_, cell in PLAN))
    assert home == [lesson.number for lesson in lessons if exercises(lesson)[0]]


def test_two_days_have_every_lesson():
    days = TEXT.partition("## Two days")[2].partition("## Six weeks")[0]
    cells = " ".join(line.partition(" | ")[2] for line in days.splitlines())
    assert {*re.findall(r"\b\d\d\b", cells)} >= {one.number for one in catalogue.lessons()}
