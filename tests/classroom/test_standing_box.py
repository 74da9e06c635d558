"""The box of lesson 00: tables that can be brought up to date, and read without a kernel."""

import pytest

from fmcourse import classroom, progress


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))


def test_the_button_shows_what_was_done_since():
    box = classroom.progress()
    assert " cpu " not in repr(box)
    progress.begun("01", "cpu")
    assert " cpu " not in repr(box)
    box.button.click()
    assert " cpu " in repr(box)
    assert ">cpu<" in box.shown.value


def test_without_a_kernel_the_tables_stand_as_text_and_as_html():
    box = classroom.progress()
    bundle = box._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == box._live().model_id
    assert bundle["text/plain"] == str(box)
    assert bundle["text/plain"].startswith("Your progress")
    assert bundle["text/html"] == box.shown.value
    assert "<table" in bundle["text/html"]


def test_a_file_that_breaks_is_told_of_in_the_box_and_the_tables_stay():
    box = classroom.progress()
    good = progress.path().read_bytes()
    progress.path().write_text("no database " * 99)
    box.button.click()
    assert "move it away" in box.shown.value
    assert "<table" in box.shown.value
    progress.path().write_bytes(good)
    box.button.click()
    assert "move it away" not in box.shown.value
