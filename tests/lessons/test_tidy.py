"""Outputs without this machine in them."""

import tempfile
from pathlib import Path

import nbformat
import pytest

from fmcourse.lessons.tidy import cleaner, tidy


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "anna")
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "anna" / "cache"))
    return tmp_path / "anna" / "course"


def test_paths_get_short_names_the_longest_first(root):
    home, clean = root.parent, cleaner(root)
    assert clean(f"{root}/fmcourse/x.py") == "./fmcourse/x.py"
    assert clean(f"'{home}/cache/models'") == "'~/cache/models'"
    assert clean(f"{home}/other {home}") == "~/other ~"
    assert clean(f"{home}bel/other") == f"{home}bel/other"
    assert clean(f"{tempfile.gettempdir()}/ipykernel_12/345.py:3: Warning") == "<cell>:3: Warning"


def test_a_store_outside_of_the_home_is_named_by_its_variable(root, monkeypatch):
    monkeypatch.setenv("FMCOURSE_HOME", str(root.parent.parent / "disk"))
    assert cleaner(root)(f"{root.parent.parent}/disk/models") == "$FMCOURSE_HOME/models"


def test_every_kind_of_text_output_is_cleaned_and_pictures_are_not(root):
    new = nbformat.v4.new_output
    outputs = [
        new("stream", text=f"{root}/a"),
        new("display_data", data={"text/html": f"<p>{root}/a</p>", "image/png": "aGk="}),
        new("execute_result", data={"text/plain": f"{root}/a"}),
        new("error", ename="E", evalue=f"{root}/a", traceback=[f"{root}/a"]),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=outputs)])
    tidy(notebook, root)
    assert str(root) not in nbformat.writes(notebook)
    assert notebook.cells[0].outputs[1].data["image/png"] == "aGk="
