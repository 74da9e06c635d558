"""Hostile submissions: each gets the mark that its answers have earned, and harms nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmcourse.classroom import confine, desk, grading, hidden, prose
from fmcourse.classroom.check import FAILS, RIGHT, UNWRITTEN, Exercise

from .conftest import TWICE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="grading forks")
guarded = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's guards are Linux's")
LIMITS = confine.Limits(seconds=3, total=30, memory=2**29)
HALF = Exercise("half", lambda x: x / 2, {"three": (3,)}, {}, ("", ""))
RIGHT_HALF = "def half(x):\n    return x / 2"
RIGHT_TWICE = "def twice(x):\n    return 2 * x"
FRESH = {"hidden 1": (7,), "hidden 2": (-1,)}


@pytest.fixture(scope="module")
def table():
    with desk.Desk(LIMITS) as one:
        yield one


@pytest.fixture
def marked(table):
    """The verdicts on `twice` and, behind it, on a right `half`, whatever the cells do."""
    def mark(*cells):
        sitting = desk.Sitting(table, [*cells, RIGHT_HALF])
        verdicts = [grading.examined(exercise, FRESH, sitting.outcomes)[0]
                    for exercise in (TWICE, HALF)]
        assert verdicts[1].kind == RIGHT, "another exercise's mark"
        return verdicts[0]
    return mark


def answer(body):
    return f"def twice(x):\n    {body}"


def test_a_right_answer_a_mistake_and_a_stub_are_judged_as_they_are_beside_the_learner(marked):
    assert marked(RIGHT_TWICE).kind == RIGHT
    assert marked(answer("return x * x")).says == "You squared it."
    assert marked(answer("raise NotImplementedError()")).kind == UNWRITTEN
    assert marked("x = 1").kind == UNWRITTEN
    said = marked("def twice(x):\n return )").says
    assert "`twice` is not defined; of its cell: SyntaxError" in said
    assert marked("%matplotlib inline\n" + RIGHT_TWICE).kind == RIGHT


def test_an_answer_fitted_to_the_shown_cases_is_found_out(table):
    sitting = desk.Sitting(table, [answer("return {3: 6}.get(x, 0)")])
    verdict, shown = grading.examined(TWICE, FRESH, sitting.outcomes)
    assert (verdict.right, shown) == (False, False)
    assert "hidden 1" in verdict.where


def test_writing_into_an_argument_is_seen_through_the_pipe(table):
    first = Exercise("first", lambda xs: xs[0], {"two": ([1, 2],)}, {}, ("", ""))
    sitting = desk.Sitting(table, ["def first(xs):\n    return xs.pop(0)"])
    assert "changed its argument" in grading.examined(first, {}, sitting.outcomes)[0].says


def test_a_process_that_does_not_start_says_so(monkeypatch):
    monkeypatch.setattr(desk.answering, "__name__", "no.such.module")
    with pytest.raises(grading.ExerciseError, match="did not start") as error:
        desk.Desk()
    assert "no.such" in error.value.where


@guarded
@pytest.mark.parametrize("module", ["checks.lesson_01", "hidden.lesson_01"])
def test_one_that_reads_the_tests_files_finds_nothing(marked, module):
    path = confine.PACKAGE / "classroom" / f"{module.replace('.', '/')}.py"
    for body in (f"import fmcourse.classroom.{module} as found; return found.PACK.right",
                 f"return open({str(path)!r}).read()",
                 f"import ctypes; return ctypes.CDLL(None).open({str(path).encode()!r}, 0)"):
        verdict = marked(answer(body))
        assert verdict.kind != RIGHT
        assert "Permission denied" in verdict.says or "it is -1" in verdict.says


PATCHES = """
import builtins, gc, sys
import numpy, torch
import fmcourse.classroom as room
from fmcourse.classroom import check, compare, values, answering, uses
check.judge = check._apart = check._run = lambda *given: check.Verdict(check.RIGHT, "right")
check.Verdict.right = compare.difference = compare._difference = lambda *given, **more: None
check.Outcome.__eq__ = lambda self, other: True
numpy.isclose = torch.equal = torch.allclose = lambda *given, **more: True
for thing in gc.get_objects():
    if type(thing).__name__ == "Exercise":
        thing.__dict__["right"] = lambda x: 0
"""


def test_one_that_patches_the_checker_numpy_and_torch_patches_only_its_own(marked):
    assert marked(PATCHES, answer("return 0")).kind != RIGHT
    assert marked("import builtins\nbuiltins.isinstance = lambda *given: True",
                  answer("return 0")).kind != RIGHT
    same = "class Same:\n    __eq__ = lambda self, other: True\n    __hash__ = None"
    assert "of type Same" in marked(same, answer("return Same()")).says


def test_one_that_loops_forever_is_ended_and_the_rest_is_marked(marked):
    began = time.monotonic()
    verdict = marked("while True:\n    try:\n        while True: pass\n"
                     "    except BaseException: pass", RIGHT_TWICE)
    assert verdict.kind == RIGHT  # it was another cell
    verdict = marked(answer("while True: pass"))
    assert "had not ended" in verdict.says
    assert time.monotonic() - began < 4 * LIMITS.seconds


FORKS = """
import os
def twice(x):
    while True:
        os.fork()
"""
THREADS = """
import threading, time
def twice(x):
    while True:
        threading.Thread(target=time.sleep, args=(60,)).start()
"""


@guarded
def test_a_fork_bomb_does_not_go_off(marked, table):
    before = _processes()
    assert "Operation not permitted" in marked(FORKS).says
    for body in ("import subprocess; return subprocess.run(['sleep', '60'])",
                 "import os; return os.execv('/bin/sleep', ['sleep', '60'])",
                 "import ctypes; return ctypes.CDLL(None).fork()"):
        assert marked(answer(body)).kind != RIGHT
    assert marked(THREADS).kind != RIGHT
    table.clear()
    assert _processes() <= before


def _processes() -> int:
    """How many this test's process has below it."""
    import psutil

    return len(psutil.Process().children(recursive=True))


@guarded
def test_one_that_writes_gigabytes_writes_nothing(marked, tmp_path):
    target = tmp_path / "large"
    for place in (str(target), "large", "/tmp/fmcourse-large", "/dev/shm/fmcourse-large"):
        verdict = marked(answer(f"open({place!r}, 'wb').write(bytes(10**9))"))
        assert "Permission denied" in verdict.says
        assert not Path(place).exists()
    assert marked(answer("import os; os.write(os.memfd_create('x'), bytes(10**9))")).kind == FAILS
    assert "Operation not permitted" in marked(answer("import os; os.chmod('/tmp', 0)")).says


@guarded
def test_one_that_takes_all_memory_runs_out_of_its_own(marked):
    assert "MemoryError" in marked(answer("return len(bytes(2 * 10**9))")).says


@pytest.mark.parametrize("way", ["import sys; sys.exit()", "import os; os._exit(0)",
                                 "import os; os.abort()", "raise KeyboardInterrupt"])
def test_one_that_exits_early_has_no_mark_for_it(marked, way):
    assert marked(answer(way)).kind == FAILS
    assert marked(way, RIGHT_TWICE).kind == RIGHT
    assert "`twice` is not defined" in marked(f"{way}\n{RIGHT_TWICE}").says


FORGED = """
import json, os, struct
reply = json.dumps({"dict": [["value", 6], ["changed", []], ["right", True]]}).encode()
for number in range(1, 64):
    try:
        os.write(number, b"right on all 3 cases")
    except OSError:
        pass
"""


def test_a_forged_verdict_is_not_read_and_a_forged_reply_is_a_value_like_others(marked, capfd):
    said = "print('✓ `twice` is right on all 3 cases.')"
    assert marked(said, answer(f"{said}; return 0")).kind != RIGHT
    assert marked(FORGED, answer("return 0")).kind != RIGHT
    value = FORGED.replace('b"right on all 3 cases"',
                           'struct.pack("!I", len(reply)) + reply')  # right for the shown case
    assert marked(value, answer("return 0")).kind != RIGHT
    assert capfd.readouterr().out == ""


@guarded
def test_one_that_opens_a_socket_or_signals_the_grader_is_refused(marked):
    for body in ("import socket; socket.socket()", "import os; os.kill(os.getppid(), 9)",
                 "import os; os.kill(-1, 9)",
                 "import urllib.request as u; u.urlopen('http://127.0.0.1')"):
        assert "not permitted" in marked(answer(body)).says


@guarded
def test_unconfined_the_same_programs_would_succeed(tmp_path):
    """So that the tests above are about the guards, and not about programs that never worked."""
    secret = confine.SECRET[0] / "lesson_01.py"
    program = f"""
import ctypes, os, socket
assert "PACK" in open({str(secret)!r}).read() and ctypes.CDLL(None).open({os.fsencode(secret)!r}, 0)
socket.socket(), os.kill(os.getppid(), 0), os.chmod({str(tmp_path)!r}, 0o700)
open({str(tmp_path / "large")!r}, "wb").write(bytes(10**7)), os.write(os.memfd_create("x"), b"x")
os.fork() or os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "large").stat().st_size == 10**7


def test_values_that_no_honest_answer_gives_are_refused(marked):
    assert "bytes" in marked(answer("return 'x' * 10**7")).says
    deep = "xs = []\n    for _ in range(100): xs = [xs]\n    return xs"
    assert "without an end" in marked(answer(deep)).says


SENDS = """
import os, struct
far = [b"%d" % (i * (2**61 - 1)) for i in range(150_000)]
def send(value):
    reply = b'{"dict": [["value", ' + value + b'], ["changed", []]]}'
    for number in range(3, 64):
        try:
            os.write(number, struct.pack("!I", len(reply)) + reply)
        except OSError:
            pass
"""


@pytest.mark.parametrize(("value", "said"), [
    (r"""b'{"set": [' + b",".join(far) + b"]}" """, "same hash"),
    (r"""b'{"dict": [' + b",".join(b"[%s,0]" % x for x in far[:50_000]) + b"]}" """, "same hash"),
    (r"""b"[" + b"[]," * 1_300_000 + b"[]]" """, "more than 200,000 values|before its time"),
    (r"""b'{"array": ["<f4", [' + b",".join([b"9" * 4000] * 900) + b'], ""]}' """, "axes")])
def test_one_that_sends_what_would_take_minutes_to_read_holds_nobody_up(marked, value, said):
    began = time.process_time()  # of the grader alone
    assert re.search(said, marked(SENDS, answer(f"send({value.strip()})")).says)
    assert time.process_time() - began < LIMITS.seconds


def test_reading_and_comparing_have_an_end(marked, monkeypatch):
    def slow(*given):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.01)

    unpack = desk.values.unpack
    monkeypatch.setattr(desk.values, "unpack", lambda message: (
        slow() if b"stall" in message else unpack(message)))
    assert "could not be read" in marked(answer("return 'stall'")).says
    judge = grading.judge
    monkeypatch.setattr(grading, "COMPARING", 0.5)
    monkeypatch.setattr(grading, "judge", lambda exercise, *given: (
        slow() if exercise.name == "twice" else judge(exercise, *given)))
    assert "could not be compared" in marked(answer("return 0")).says


def test_using_an_answer_here_has_an_end(table, monkeypatch):
    """Where a check makes something of what an answer gave, that is bounded too."""
    monkeypatch.setattr(desk, "SLACK", 0.1)

    def counted(answer, x):
        return sum(1 for _ in iter(lambda: answer(x), None))

    sitting = desk.Sitting(table, [answer("return 6")])
    endless = Exercise("twice", lambda x: None, {"three": (3,)}, {}, ("", ""), use=counted)
    assert sitting.outcomes(endless)["three"].error.args


def test_a_notebook_that_uses_up_its_time_is_given_no_more(table, monkeypatch):
    monkeypatch.setattr(table, "limits", confine.Limits(seconds=0.5, total=1))
    sitting = desk.Sitting(table, [*["while True: pass"] * 3, RIGHT_TWICE])
    verdict, _ = grading.examined(TWICE, {}, sitting.outcomes)
    assert verdict.kind == FAILS
    assert "took more than 1 s" in verdict.says


def notebook(folder: Path, learner: str, cells: list[str], name="01_pretraining") -> None:
    place = folder / learner / "01" / f"{name}.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell}
                                           for cell in cells]}))


def test_submissions_are_found_by_their_lessons_name_and_links_are_not_followed(tmp_path):
    notebook(tmp_path, "ann", [])
    notebook(tmp_path, "bo", [], "notes")
    (tmp_path / "eve").symlink_to(tmp_path / "ann")
    notebook(tmp_path, "cy", [])
    (tmp_path / "cy" / "01" / "01_pretraining.ipynb").unlink()
    (tmp_path / "cy" / "01" / "01_pretraining.ipynb").symlink_to("/etc/hostname")
    one, = grading.submissions(tmp_path)
    assert (one.learner, one.lesson.number) == ("ann", "01")
    (tmp_path / "ann" / "01_pretraining.ipynb").write_text("{}")
    with pytest.raises(grading.ExerciseError, match="two notebooks"):
        grading.submissions(tmp_path)
    with pytest.raises(grading.ExerciseError, match="No notebook"):
        grading.submissions(tmp_path / "bo")


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 3}', "[" * 10**5, '{"cells": [{}]}'])
def test_a_notebook_that_is_none_earns_nothing_and_says_so(tmp_path, table, text):
    notebook(tmp_path, "ann", [])
    one, = grading.submissions(tmp_path)
    one.path.write_text(text)
    marks = grading.graded(one, "a secret", table, prose.Pages(tmp_path))
    assert {mark.points for mark in marks} == {0}
    assert "cannot be read" in marks[0].says


def test_a_value_that_breaks_the_judge_costs_one_mark_and_not_the_class(
        tmp_path, table, monkeypatch):
    def broken(*given):
        raise RecursionError("too deep")

    monkeypatch.setattr(grading, "judge", broken)
    notebook(tmp_path, "ann", [])
    one, = grading.submissions(tmp_path)
    marks = grading.graded(one, "a secret", table, prose.Pages(tmp_path))
    assert {mark.says for mark in marks} == {
        "What it gives cannot be compared: RecursionError: too deep"}


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "grades" / "secret.txt"
    words = grading.secret(path)
    assert grading.secret(path) == words
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("abc")
    with pytest.raises(grading.ExerciseError, match="too short"):
        grading.secret(path)


def test_a_secret_that_is_none_is_told_of(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe secret")
    for path in (tmp_path, tmp_path / "bytes", tmp_path / "bytes" / "secret.txt"):
        with pytest.raises(grading.ExerciseError, match="cannot be read"):
            grading.secret(path)


@pytest.mark.parametrize(("words", "said"), [
    (("--memory", "inf"), "--memory"), (("--memory", "nan"), "--memory"),
    (("--seconds", "nan"), "--seconds"), (("--seconds", "inf"), "--seconds"),
    (("--to", "{file}"), "cannot be made"),
    (("--secret", "{folder}"), "cannot be read"), (("--secret", "{file}"), "cannot be read")])
def test_mistakes_of_the_one_who_grades_are_told_in_a_sentence(tmp_path, command, words, said,
                                                               monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    notebook(tmp_path / "submitted", "ann", [])
    code, _, complaint = command("class", "grade", tmp_path / "submitted", *(
        word.format(file=tmp_path / "file", folder=tmp_path) for word in words))
    assert code
    assert said in complaint
    assert "Traceback" not in complaint


def test_the_command_grades_a_class_and_counts_its_mistakes(tmp_path, table, command, monkeypatch):
    monkeypatch.setattr(hidden, "COUNT", 4)
    monkeypatch.setattr(desk, "Desk", lambda limits: contextlib.nullcontext(table))
    days = "def training_days(n, d, peak, u):\n    return {} * n * d / (peak * u) / 86400"
    for learner, cells in {"ann": [days.format(6)], "bo": [days.format(2)], "cy": [
            days.format(2), "import os\nos._exit(0)"], "dee": ["x = 1"]}.items():
        notebook(tmp_path / "submitted", learner, cells)
    code, said, complaint = command("class", "grade", str(tmp_path / "submitted"), "--to",
                                    str(tmp_path / "grades"))
    assert code == 0, complaint
    assert "ann, 01_pretraining: 2 of" in said
    rows = (tmp_path / "grades" / "marks.csv").read_text().splitlines()
    assert sum(",right,2,2," in row for row in rows) == 1
    monkeypatch.setenv("COLUMNS", "200")
    code, said, _ = command("class", "statistics", str(tmp_path / "grades" / "marks.csv"))
    assert code == 0
    counted, = (line for line in said.splitlines() if "forward pass alone" in line)
    assert "1 of 4" in counted
    assert "bo, cy" in counted
    assert sum("not written" in line and "dee" in line for line in said.splitlines()) > 1
