"""Confinement in a process of its own: what the kernel refuses and, without it, Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fmcourse.classroom import confine

TRIED = """
import json, os, socket, sys, threading
from pathlib import Path
from fmcourse.classroom import confine

def said(what):
    try:
        what()
        return "done"
    except BaseException as error:
        return type(error).__name__

readable, secret, mine = (Path(one) for one in sys.argv[2:])
{confined}
thread = threading.Thread(target=int)
print(json.dumps({{
    "thread": said(lambda: (thread.start(), thread.join())),
    "read": said((readable / "text").read_text), "list": said(lambda: os.listdir(readable)),
    "null": said(lambda: open(os.devnull, "w").close()),
    "secret": said(secret.read_text), "write": said(lambda: (readable / "new").write_text("x")),
    "append": said(lambda: open(readable / "text", "a")),
    "remove": said((readable / "text").unlink), "mode": said(lambda: mine.chmod(0o700)),
    "fork": said(lambda: os.fork() or os._exit(0)),
    "socket": said(socket.socket), "signal": said(lambda: os.kill(os.getppid(), 0)),
    "exec": said(lambda: os.posix_spawn("/bin/true", ["true"], {{}})),
    "memory": said(lambda: bytes(2**30))}}))
"""
KERNEL = "assert confine.confine(confine.Limits(memory=2**28), [readable]) == []"
PYTHON = ("confine._landlock = confine._seccomp = lambda *given: False\n"
          "assert len(confine.confine(confine.Limits(memory=2**28), [readable])) == 2")
ALLOWED = {"thread", "read", "list", "null"}


def tried(folder: Path, confined: str) -> dict[str, str]:
    readable, secret, mine = folder / "readable", folder / "secret", folder / "mine"
    readable.mkdir()
    for path in (readable / "text", secret, mine):
        path.write_text("words")
    done = subprocess.run(
        [sys.executable, "-c", TRIED.format(confined=confined), "", readable, secret, mine],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's guards are Linux's")
@pytest.mark.parametrize("confined", [KERNEL, PYTHON], ids=["kernel", "python"])
def test_what_a_confined_process_may_and_may_not_do(tmp_path, confined):
    found = tried(tmp_path, confined)
    assert {name for name, said in found.items() if said == "done"} == ALLOWED
    assert found.pop("memory") == "MemoryError"
    assert {said for name, said in found.items() if name not in ALLOWED} == {"PermissionError"}
    assert (tmp_path / "readable" / "text").read_text() == "words"


@pytest.mark.skipif(sys.platform != "linux", reason="there are no limits to lift elsewhere")
def test_an_unconfined_process_may_do_all_of_it(tmp_path):
    assert set(tried(tmp_path, "").values()) == {"done"}


def test_a_folder_is_cut_into_the_parts_without_its_secrets(tmp_path):
    for name in ("a/b/one", "a/c/two", "d/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    secret = [tmp_path / "a" / "b", tmp_path / "elsewhere"]
    assert [*confine.without(tmp_path, secret)] == [tmp_path / "a" / "c", tmp_path / "d"]
    assert [*confine.without(tmp_path / "d", secret)] == [tmp_path / "d"]
    assert [*confine.without(tmp_path / "a" / "b", secret)] == []


def test_a_submission_may_read_python_and_the_course_but_no_answers():
    may = confine.readable()
    assert any((confine.PACKAGE / "evaluate").is_relative_to(one) for one in may)
    for kept in (*confine.SECRET, confine.PACKAGE.parent / "solutions", Path.home()):
        assert not any(kept.is_relative_to(one) for one in may), kept
