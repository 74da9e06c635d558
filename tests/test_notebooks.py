"""The committed notebooks as readers meet them: executed, in step, without noise, of bearable size.

That their cells still run is nbval's part (`make test`). Nbval skips cells that were never
executed, so a notebook without outputs would pass it: the first test here is what forbids that.
"""

from __future__ import annotations

import ast
import base64
import re
import sys
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from packaging.utils import canonicalize_name

from fmcourse.classroom import wheelhouse
from fmcourse.lessons import build, catalogue, site

ROOT = Path(__file__).parents[1]
LESSONS = catalogue.lessons(ROOT)
LIMITS = {"columns": 88, "lines": 15, "picture": 60_000}
MACHINE = re.compile(r"[\"' =(:]/(work|root|home|tmp|Users|private|var)/|[A-Z]:\\\\Users")

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in code(notebook) for output in cell.outputs]


@every_lesson
def test_the_notebook_is_its_master_executed(lesson):
    assert build.check(lesson) == []


def test_every_notebook_has_a_master_and_no_cell_was_left_out():
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [path.stem for path in found] == [lesson.name for lesson in LESSONS]
    for path in found:
        assert all(cell.execution_count for cell in code(nbformat.read(path, 4))), path.name


@every_lesson
def test_the_first_cell_says_what_the_header_says(lesson):
    first = build.assemble(lesson).cells[0].source
    assert first.startswith(f"# {lesson.number} · {lesson.title}\n")
    assert "**Question:**" in first
    assert f"{lesson.minutes_cpu:g} minute" in first


@every_lesson
def test_what_a_lesson_imports_is_there(lesson):
    assert [line for line in map(ast.unparse, imports(lesson)) if fails(line)] == []


def test_what_lessons_import_comes_with_the_course_itself():
    """Who installs it, from a bundle or else, has none of its extras."""
    modules = {name.split(".")[0] for lesson in LESSONS for node in imports(lesson)
               for name in ([node.module] if isinstance(node, ast.ImportFrom) else
                            [one.name for one in node.names])}
    brought, owners = {pin.name for pin in wheelhouse.pins(ROOT)}, metadata.packages_distributions()
    assert "torch" in modules
    assert [name for name in modules - sys.stdlib_module_names - {"fmcourse"}
            if brought.isdisjoint(map(canonicalize_name, owners[name]))] == []


def imports(lesson):
    return [node for cell in code(build.assemble(lesson)) for node in ast.walk(
        ast.parse(cell.source)) if isinstance(node, ast.Import | ast.ImportFrom)]


def fails(line: str) -> bool:
    """Whether an import finds nothing."""
    try:
        exec(line, {})
    except ImportError:
        return True
    return False


def test_an_import_of_nothing_is_found():
    assert fails("from fmcourse import awss")
    assert not fails("from fmcourse import aws")


@every_lesson
def test_code_fits_a_reader(lesson):
    cells = code(build.assemble(lesson))
    wide = [line for cell in cells for line in cell.source.splitlines()
            if len(line) > LIMITS["columns"]]
    assert wide == []
    long = [cell.source for cell in cells if len(cell.source.splitlines()) > LIMITS["lines"]]
    assert len(long) <= 2, "code that long lives in the library, raw ideas excepted"


@every_lesson
def test_whatever_is_shown_is_seen(lesson):
    assert [line for cell in code(build.assemble(lesson)) for line in unseen(cell.source)] == []


def unseen(source: str) -> list[str]:
    """Tables and pictures that are made and lost: Jupyter shows a cell's last expression alone."""
    body = ast.parse(source).body
    seen = body[-1] if isinstance(body[-1], ast.Expr) else None
    return [ast.unparse(node) for top in body for node in ast.walk(top)
            if isinstance(node, ast.Expr) and node is not seen
            and ast.unparse(node).startswith("show.")]


def test_a_lost_picture_is_found():
    assert unseen("show.table(a)\nprint(b)") == ["show.table(a)"]
    assert unseen("for a in b:\n    show.table(a)") == ["show.table(a)"]
    assert unseen("print(b)\nshow.table(a)") == []


@every_lesson
def test_outputs_hold_no_noise(lesson):
    notebook = build.read(lesson)
    text = "\n".join(nbformat.from_dict(output).get("text", "") for output in outputs(notebook))
    assert "Warning" not in text
    assert "it/s]" not in text
    assert not [out for out in outputs(notebook) if out.get("name") == "stderr"]
    assert MACHINE.search(nbformat.writes(notebook)) is None


@every_lesson
def test_pictures_are_small(lesson):
    for output in outputs(build.read(lesson)):
        picture = base64.b64decode(output.get("data", {}).get("image/png", ""))
        assert len(picture) <= LIMITS["picture"]


@every_lesson
def test_every_formula_can_be_drawn(lesson):
    for cell in build.assemble(lesson).cells:
        if cell.cell_type == "markdown":
            for formula in re.findall(r"\$\$?([^$`]+)\$\$?", cell.source):
                assert site.mathml(formula, "inline"), formula
