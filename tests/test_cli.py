"""The command line: messages instead of tracebacks, exit codes, and an instant --help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmcourse import sources, store
from fmcourse.errors import SourceError
from fmcourse.lessons import supplies
from fmcourse.sources import Status

MASTER = """# ---
# jupyter:
#   fmcourse: {title: One, claims: [], minutes_cpu: 1, minutes_gpu: 1}
# ---

# %%
"""


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A course with one lesson, as the working folder."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "src" / "00_one.py").write_text(MASTER + "print(1)\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))
    return store.home()


def test_help_imports_nothing_slow():
    code = ("import sys; sys.argv = ['fmcourse', '--help']\n"
            "from fmcourse import cli\n"
            "try: cli.main()\n"
            "except SystemExit: print(sorted(sys.modules), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("doctor", "run", "lab", "build", "fetch", "train", "evidence", "clean"):
        assert name in done.stdout
    slow = ("torch", "datasets", "transformers", "numpy", "nbclient", "jupytext", "matplotlib")
    assert [name for name in slow if f"'{name}'" in done.stderr] == []


def test_a_mistake_is_a_message_without_a_traceback(course, command):
    code, _, complaint = command("run", "07")
    assert code == 1
    assert "There is no lesson '07'." in complaint
    assert "what to do:" in complaint
    assert "Traceback" not in complaint


def test_an_unknown_command_is_a_usage_error(command):
    assert command("frobnicate")[0] == 2


def test_a_wrong_scale_is_a_message(course, command, monkeypatch):
    monkeypatch.setenv("FMCOURSE_SCALE", "cpu")
    code, _, complaint = command("run", "--scale", "huge")
    assert code == 1
    assert "no scale called 'huge'" in complaint


def test_build_and_its_check(course, command):
    assert command("build")[0] == 0
    assert (course / "notebooks" / "00_one.ipynb").exists()
    code, _, complaint = command("build", "--check")
    assert code == 1
    assert "never been executed" in complaint


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupting_a_run_ends_with_one_line(course, home):
    (course / "notebooks" / "src" / "00_one.py").write_text(
        MASTER + "open('started', 'w').close()\nimport time\ntime.sleep(600)\n")
    code = ("import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from fmcourse import cli\nfrom fmcourse.lessons import run\n"
            "run.fetch_missing = lambda console: None\n"
            "import sys; sys.argv = ['fmcourse', 'run', '--scale', 'smoke']\ncli.main()")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=course, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (course / "notebooks" / "started").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.strip() == "Interrupted."


def test_fetch_names_what_failed_and_goes_on(home, command, monkeypatch):
    def bring(name):
        if name == "shakespeare":
            raise SourceError("The index did not answer.", where=name)
        return Status(name, "ready", None, "")

    monkeypatch.setattr(supplies, "bring", bring)
    code, said, complaint = command("fetch", "web-bible", "shakespeare", "smollm2")
    assert code == 1
    assert "The index did not answer." in complaint
    assert [line.split()[0] for line in said.splitlines()] == ["web-bible", "smollm2"]
    assert sources.get("smollm2").licence in said


def test_fetch_refuses_an_unknown_source(home, command):
    code, _, complaint = command("fetch", "web-bibel")
    assert code == 1
    assert "web-bible" in complaint


def test_attribution_is_written_and_checked(course, command):
    assert command("attribution", "--check")[0] == 1
    assert command("attribution")[0] == 0
    assert command("attribution", "--check")[0] == 0
    (course / "ATTRIBUTION.md").write_text("old")
    code, _, complaint = command("attribution", "--check")
    assert code == 1
    assert "does not match" in complaint


def test_clean_tells_first_and_deletes_when_told(home, command):
    (home / "runs" / "mine").mkdir(parents=True)
    (home / "runs" / "mine" / "weights").write_bytes(bytes(2_000_000))
    (home / "other").mkdir()
    code, said, _ = command("clean")
    assert code == 0
    assert "2.0 MB" in said
    assert "Nothing was deleted" in said
    assert command("clean", "sources", "--yes")[1].endswith("nothing\n")
    assert (home / "runs").exists()
    command("clean", "--yes")
    assert [path.name for path in home.iterdir()] == ["other"]
    assert command("clean", "other", "--yes")[0] == 1


def test_what_was_done_by_hand_is_deleted_only_by_its_name(home, command):
    for name in ("runs", *supplies.BY_HAND):
        (home / name).mkdir()
    said = command("clean", "--yes")[1]
    assert sorted(path.name for path in home.iterdir()) == sorted(supplies.BY_HAND)
    assert f"fmcourse clean {' '.join(supplies.BY_HAND)} --yes" in said
    command("clean", "progress", "--yes")
    assert not (home / "progress").exists()
    assert (home / "labels").exists()


def test_what_was_done_by_hand_is_listed_where_it_lies(home, command, tmp_path, monkeypatch):
    monkeypatch.setenv("FMCOURSE_DATA", str(tmp_path / "mine"))
    for path in (home / "runs", home / "labels", tmp_path / "mine" / "labels"):
        path.mkdir(parents=True)
    said = command("clean")[1]
    assert said.index(f"In {home}:") < said.index("  runs") < said.index(
        f"In {tmp_path / 'mine'}:") < said.index("  labels")
    command("clean", "labels", "--yes")
    assert not (tmp_path / "mine" / "labels").exists()
    assert (home / "labels").exists()  # left by an earlier version, and no longer looked at


def test_evidence_check_recomputes_the_ledger(command, monkeypatch):
    from fmcourse import evidence

    monkeypatch.setattr(evidence, "read", lambda name: {"claim": name, "verdict": "shown"})
    checked = []
    monkeypatch.setattr(evidence, "check", lambda record: checked.append(record["claim"]))
    code, said, _ = command("evidence", "--check")
    assert code == 0
    assert checked == list(evidence.claims())
    assert f"{checked[0]}: shown" in said


def test_evidence_passes_claims_and_seeds_on(command, monkeypatch):
    from fmcourse import evidence

    asked = []
    monkeypatch.setattr(evidence, "run_claims", lambda *a, **k: asked.append((a, k)))
    command("evidence", "K1", "--seeds", "2")
    command("evidence")
    assert asked == [((["K1"],), {"seeds": range(2)}), (([],), {})]


def test_doctor_and_lab_hand_on_their_exit_code(course, command, monkeypatch):
    from fmcourse import doctor
    from fmcourse.lessons import lab

    monkeypatch.setattr(doctor, "main", lambda online: 1 if online else 0)
    monkeypatch.setattr(lab, "lab", lambda lesson, browser, port: 3 if lesson == "00" else 4)
    assert command("doctor")[0] == 1
    assert command("doctor", "--offline")[0] == 0
    assert command("lab")[0] == 3
    assert command("lab", "01")[0] == 4


def test_train_base_passes_its_settings_on(home, command, monkeypatch, tmp_path):
    from fmcourse.evidence import base

    asked = []
    monkeypatch.setattr(base, "train_base", lambda *a: asked.append(a) or "a run")
    monkeypatch.setattr(base, "publish_base", lambda *a: pytest.fail("published"))
    place = tmp_path / "run"
    assert command("train", "base", "--tokens", "1000", "--folder", str(place))[1] == "a run\n"
    command("train", "base")
    assert asked == [(place, 1000), (home / "runs" / f"base-{base.TOKENS}", base.TOKENS)]
    code, _, complaint = command("train", "base", "--to", str(tmp_path))
    assert code == 1
    assert "Add --publish" in complaint
    assert len(asked) == 2  # it is said before hours of training


def test_train_base_publishes_the_run_it_made(home, command, monkeypatch, tmp_path):
    from fmcourse import models
    from fmcourse.evidence import base

    done = []
    monkeypatch.setattr(base, "train_base", lambda *a: done.append(("trained", a[0])) or "a run")
    monkeypatch.setattr(base, "publish_base", lambda *a: done.append(("published", *a)))
    run = home / "runs" / "base-1000"
    said = command("train", "base", "--tokens", "1000", "--publish")[1]
    assert done == [("trained", run), ("published", run, models.BASE)]
    assert said.endswith(f"published in {models.BASE}\n")
    place, target = tmp_path / "run", tmp_path / "b"
    command("train", "base", "--folder", str(place), "--publish", "--to", str(target))
    assert done[2:] == [("trained", place), ("published", place, target)]


@pytest.fixture
def folder_of_text(tmp_path) -> Path:
    """What people have: texts, and among them what no one can read."""
    import tiny

    folder = tmp_path / "my folder"
    (folder / "more").mkdir(parents=True)
    for number, text in enumerate(tiny.texts()):
        (folder / "more" / f"{number}.txt").write_text(text)
    (folder / "latin.txt").write_bytes("Vertragsänderung".encode("latin-1"))
    (folder / "empty.txt").write_text("")
    (folder / "program.txt").write_bytes(b"\x7fELF\x00\x01\x02" * 99)
    (folder / "rows.jsonl").write_text('{"text": "The toad lives by the river."}\n{oops\n')
    return folder


def test_train_continued_on_a_folder_says_what_it_learnt_forgot_and_left_out(
        home, command, monkeypatch, tmp_path, folder_of_text):
    import tiny

    from fmcourse import data, models

    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    tiny.model().save(tmp_path / "start")
    parts = {"train": tiny.dataset(), "validation": tiny.dataset()}
    monkeypatch.setattr(data, "general", lambda: parts)
    words = ("train", "continued", "--data", str(folder_of_text), "--base",
             str(tmp_path / "start"), "--tokens", "8192", "--replay", "0.25",
             "--learning-rate", "0.01")
    code, said, complained = command(*words)
    assert code == 0, complained
    assert "domain text" in said
    assert "bits per byte (" in said
    assert "general text" in said
    for name, reason in (("latin.txt", "UTF-8"), ("empty.txt", "empty"), ("program.txt", "binary")):
        assert name in complained
        assert reason in complained
    assert "Warning" not in complained
    place = Path(said.rsplit("model in ", 1)[1].strip())
    assert models.load(place).sha256() != tiny.model().sha256()
    before = (place / "model.safetensors").stat().st_mtime_ns
    assert command(*words)[0] == 0  # a finished run is opened, not made again
    assert (place / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(("words", "message"), [
    (("--data", "nowhere.txt"), "no such file"),
    (("--data", "medicine"), "No source is called"),
    (("--data", "aws", "--base", "./nobody"), "no model here"),
])
def test_train_continued_says_what_is_wrong(home, command, monkeypatch, words, message):
    import tiny

    from fmcourse import data

    monkeypatch.setattr(data, "domain", lambda _: {"train": tiny.dataset()})
    code, _, complained = command("train", "continued", *words)
    assert code == 1
    assert message in complained
    assert "Traceback" not in complained


@pytest.fixture
def records(tmp_path) -> Path:
    """Forty pairs of a user's own; the third line is broken."""
    import json

    import tiny

    pairs = [{"prompt": f"Where does the {animal} live, number {i}?",
              "completion": f"By the {tiny.PLACES[i]}."} for animal in tiny.ANIMALS
             for i in range(4)]
    lines = [json.dumps(pair) for pair in pairs]
    lines.insert(2, '{"promt": "Where?", "completion": "Here."}')
    path = tmp_path / "my.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_train_instruct_trains_nothing_until_the_records_are_clean(
        home, command, monkeypatch, tmp_path, records):
    import tiny

    from fmcourse import models

    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    start = models.build(tiny.SHAPE, tiny.tokenizer(), context=128).save(tmp_path / "start")
    words = ("train", "instruct", "--data", str(records), "--base", str(start), "--epochs", "20")
    code, _, complained = command(*words)
    assert code == 1
    assert 'line 3, column 2: The key "promt" is unknown. Write "prompt".' in complained
    assert not (home / "runs").exists()
    code, said, complained = command(*words, "--skip-bad")
    assert code == 0, complained
    aside = Path(said.partition("records left out, saved in ")[2].splitlines()[0])
    assert aside.read_text() == '{"promt": "Where?", "completion": "Here."}\n'
    before, after = (float(said.partition("held-out replies ")[2].split()[i]) for i in (0, 2))
    assert after < before
    model = Path(said.rsplit("fmcourse chat ", 1)[1].strip())
    assert models.load(model).tokenizer.chat_template
    code, again, _ = command(*words, "--skip-bad")
    assert code == 0
    assert "finished before; it is opened" in again
    assert f"held-out replies  {before:.3f} -> {after:.3f}" in again
    code, _, complained = command(*words, "--skip-bad", "--max-length", "4000")
    assert code == 1
    assert "where: --max-length" in complained
    code, _, complained = command(*words, "--max-length", "0")
    assert (code, "--max-length" in complained) == (2, True)


def test_train_instruct_says_where_the_held_out_replies_were_best(
        home, command, monkeypatch, tmp_path):
    import json

    import tiny

    from fmcourse import models

    monkeypatch.setenv("FMCOURSE_PROGRESS", "0")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    start = models.build(tiny.SHAPE, tiny.tokenizer(), context=128).save(tmp_path / "start")
    path = tmp_path / "few.jsonl"  # learnt by heart, and of no use to the one held out
    path.write_text("".join(json.dumps({"prompt": f"{animal}?", "completion": place}) + "\n"
                            for animal, place in zip(tiny.ANIMALS, tiny.PLACES, strict=False)))
    code, said, complained = command(
        "train", "instruct", "--data", str(path), "--base", str(start), "--epochs", "1",
        "--learning-rate", "0.01")
    assert code == 0, complained
    assert "since 30 steps are the least" in said
    assert "--patience 2 goes back there" in complained


def test_chat_answers_line_by_line_until_an_empty_one(home, command, monkeypatch, tmp_path):
    import io

    import tiny

    from fmcourse import models

    model = models.build(tiny.SHAPE, tiny.tokenizer(), context=128)
    place = model.save(tmp_path / "model")
    monkeypatch.setenv("FMCOURSE_DEVICE", "cpu")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"Where is the owl?\n{'fox ' * 300}\n\nunread\n"))
    code, said, complained = command("chat", str(place), "--tokens", "8")
    assert code == 0
    assert said == f"{models.Chat(model, tokens=8).say('Where is the owl?')}\n\n"
    assert "context of 128" in complained
