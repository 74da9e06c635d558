"""`fmcourse progress`: shown, written to a file, read in elsewhere."""

import pytest

from fmcourse import progress


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "one"))


def test_progress_is_shown_and_carried_to_another_machine(command, tmp_path, monkeypatch):
    progress.begun("01", "cpu")
    code, said, _ = command("progress")
    assert code == 0
    assert "01 Pre-training" in said
    assert said.strip().endswith(str(progress.path()))
    file = tmp_path / "mine.json"
    assert command("progress", "export", file)[:2] == (0, f"wrote {file}\n")
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "two"))
    assert command("progress", "import", file)[1] == "1 added, 0 were here already.\n"
    assert " cpu " in command("progress")[1]


def test_a_file_that_is_not_there_is_told_of(command, tmp_path):
    code, _, complaint = command("progress", "import", tmp_path / "no.json")
    assert code == 1
    assert "not there" in complaint


def test_a_broken_progress_file_is_told_of_and_kept(command):
    progress.path().write_text("no database " * 99)
    code, _, complaint = command("progress")
    assert code == 1
    assert "move it away" in complaint
    assert progress.path().read_text().startswith("no database")


def test_a_folder_or_somebody_elses_file_is_told_of(command, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for words in (("export", tmp_path), ("export", tmp_path / "thesis.txt"), ("import", tmp_path),
                  ("export", tmp_path / "no" / "mine.json"), ("import", tmp_path / "thesis.txt")):
        code, _, complaint = command("progress", *words)
        assert code == 1
        assert "what to do:" in complaint
    assert (tmp_path / "thesis.txt").read_text() == "mine"
