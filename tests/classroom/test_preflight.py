"""The preflight: stricter than the doctor, and each fault of a seat is told with its fix."""

import json
import sys
import urllib.request
from types import SimpleNamespace

import pytest

from fmcourse import sources
from fmcourse.classroom import preflight
from fmcourse.doctor import holdings, installation
from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding
from fmcourse.sources import fetching


def only(findings):
    (found,) = findings
    return found


@pytest.mark.parametrize(("doctor", "seat"), [(OK, OK), (WARN, PROBLEM), (PROBLEM, PROBLEM)])
def test_other_versions_than_tested_are_a_problem_in_a_class(monkeypatch, doctor, seat):
    monkeypatch.setattr(installation, "packages", lambda: [Finding("packages", doctor, "x", "y")])
    assert only(preflight.pinned()) == Finding("packages", seat, "x", "y")


def test_data_that_is_not_there_is_a_problem_in_a_class(monkeypatch, tmp_path):
    names = list(sources.registry())[:2]
    monkeypatch.setattr(sources, "registry", lambda: {name: sources.get(name) for name in names})
    monkeypatch.setattr(holdings, "cached", lambda: [Finding("sources", OK, "fine")])
    monkeypatch.setattr(fetching, "place", lambda source: tmp_path / source.name)
    for name in names:
        (tmp_path / name).mkdir()
    assert [one.status for one in preflight.data()] == [OK]
    (tmp_path / names[1]).rmdir()
    found = list(preflight.data())[1]
    assert (found.status, found.what) == (PROBLEM, f"Not fetched yet: {names[1]}.")
    assert found.fix.startswith("fmcourse fetch")


@pytest.fixture
def kernels(monkeypatch):
    """A kernel that replies and prints as told; whether it was ended."""
    from jupyter_client import manager

    ended = []

    def become(said="", status="ok", starts=True):
        def execute(code, timeout, output_hook):
            output_hook({"content": {"text": said}})
            return {"content": {"status": status}}

        def start(**_):
            if not starts:
                raise RuntimeError("Kernel died before replying to kernel_info")
            return (SimpleNamespace(shutdown_kernel=lambda now: ended.append(now)),
                    SimpleNamespace(execute_interactive=execute, stop_channels=lambda: None))

        monkeypatch.setattr(manager, "start_new_kernel", start)
        return ended

    return become


@pytest.mark.parametrize(("kernel", "status"), [
    ({"said": preflight.__version__ + "\n"}, OK), ({"said": "0.0.0\n"}, PROBLEM),
    ({"status": "error"}, PROBLEM), ({"starts": False}, PROBLEM)])
def test_a_kernel_must_start_and_have_this_course(kernels, kernel, status):
    ended = kernels(**kernel)
    found = only(preflight.kernel())
    assert found.status == status
    assert bool(found.fix) == (status == PROBLEM)
    assert ended == ([True] if kernel.get("starts", True) else [])


@pytest.mark.parametrize(("losses", "status"), [([9.0, 5.0], OK), ([9.0, 8.9], PROBLEM)])
def test_a_training_must_learn(monkeypatch, losses, status):
    import pandas as pd

    from fmcourse import data, models, train

    monkeypatch.setattr(models, "load", lambda name: SimpleNamespace(tokenizer=None))
    monkeypatch.setattr(models, "build", lambda *_: None)
    monkeypatch.setattr(data, "tokens", lambda *_: None)
    monkeypatch.setattr(train, "pretrain", lambda *_, **__: SimpleNamespace(
        history=pd.DataFrame({"loss": losses})))
    assert only(preflight.training()).status == status


SERVES = ("import http.server, sys; port = next(int(word.split('=')[1]) for word in sys.argv if "
          "'port=' in word); http.server.HTTPServer(('127.0.0.1', port), type('H', "
          "(http.server.BaseHTTPRequestHandler,), {'do_GET': lambda self: (self.send_response(200),"
          " self.end_headers())})).serve_forever()")


@pytest.mark.parametrize(("program", "proxies", "status"), [
    (SERVES, {}, OK), (SERVES, {"http": "http://proxy:1"}, WARN),
    ("raise SystemExit('port forbidden')", {}, PROBLEM)])
def test_jupyterlab_must_answer(monkeypatch, program, proxies, status):
    start = preflight.subprocess.Popen
    monkeypatch.setattr(preflight.subprocess, "Popen", lambda command, **files: start(
        [sys.executable, "-c", program, *command[3:]], **files))
    monkeypatch.setattr(urllib.request, "getproxies", lambda: proxies)
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: False)
    found = only(preflight.browser())
    assert found.status == status
    assert bool(found.fix) == (status != OK)
    assert ("port forbidden" in found.what) == (status == PROBLEM)


def test_one_line_a_finding_and_what_breaks_does_not_end_it():
    def broken():
        raise ValueError("two\nlines")

    topics = {"good": lambda: [Finding("good", OK, "Fine.")], "bad": broken}
    lines = [preflight.line(one) for one in preflight.examine(topics)]
    assert len(lines) == 2
    assert all("\n" not in one for one in lines)
    assert lines[1].startswith("problem  bad")
    assert "\n" not in preflight.line(Finding("x", WARN, "a\nb", "c\nd"))


def test_the_summary_is_one_line_that_a_program_reads():
    found = [Finding("disk", PROBLEM, "Full."), Finding("memory", WARN, "Little.")]
    told = json.loads(preflight.summary(found, 3.4, "A3"))
    assert (told["seat"], told["ready"], told["problems"], told["warnings"], told["seconds"]) == (
        "A3", False, ["disk"], ["memory"], 3)
    assert json.loads(preflight.summary(found[1:], 1))["ready"] is True


@pytest.mark.parametrize(("status", "code"), [(OK, 0), (WARN, 0), (PROBLEM, 1)])
def test_the_command_tells_all_and_its_exit_code_says_whether_the_seat_is_ready(
        command, monkeypatch, status, code):
    monkeypatch.setattr(preflight, "TOPICS", {"disk": lambda: [Finding("disk", status, "So.")]})
    ended, said, _ = command("class", "preflight", "--seat", "B2")
    assert ended == code
    assert said.splitlines()[0] == preflight.line(Finding("disk", status, "So."))
    assert json.loads(said.splitlines()[-1])["seat"] == "B2"
