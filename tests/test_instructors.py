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
    if count.isdigit():
        sheet = (lesson.root / "solutions" / "src" / f"{lesson.name}.py").read_text("utf-8")
        found = re.findall(r'exercise=.* minutes=(\d+)', sheet)
        assert (int(count), int(minutes)) == (len(found), sum(map(int, found)))
