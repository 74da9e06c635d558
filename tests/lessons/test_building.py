"""Building: same text, same notebook; outputs stay where code stays; check sees the rest."""

import nbformat
import pytest

from fmcourse.errors import LessonError
from fmcourse.lessons import build

CELLS = ("# Title\nWords.", "a = 1", "print(a)", "a = 1")


def executed(lesson, scale="cpu"):
    """Pretend that the lesson ran."""
    notebook = build.build(lesson)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {count}\n")]
    build.stamp(notebook, scale)
    build.write(lesson, notebook)
    return notebook


def outputs(notebook):
    return [out.text for cell in notebook.cells for out in cell.get("outputs", [])]


def test_building_twice_gives_the_same_bytes(course):
    lesson = course.write("01_x", *CELLS)
    build.build(lesson)
    first = lesson.notebook.read_bytes()
    build.build(lesson)
    assert lesson.notebook.read_bytes() == first


def test_every_cell_has_its_own_id_even_when_its_text_repeats(course):
    ids = [cell.id for cell in build.build(course.write("01_x", *CELLS)).cells]
    assert len(set(ids)) == len(CELLS)


def test_a_cell_put_in_front_changes_no_other_id(course):
    before = [cell.id for cell in build.build(course.write("01_x", *CELLS)).cells]
    after = [cell.id for cell in build.build(course.write("01_x", "# New", *CELLS)).cells]
    assert after[1:] == before


def test_outputs_stay_with_unchanged_code(course):
    executed(course.write("01_x", *CELLS))
    notebook = build.build(course.write("01_x", "# Other words", "a = 1", "print(a + 1)", "a = 1"))
    assert outputs(notebook) == ["output 1\n", "output 3\n"]
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, None, 3]


@pytest.mark.parametrize("edit", [
    lambda cells: cells[0].update(source="My prediction: soup."),
    lambda cells: cells[1].update(source="a = 2"),
    lambda cells: cells.append(nbformat.v4.new_code_cell("mine")),
])
def test_what_somebody_wrote_into_a_notebook_is_put_aside(course, edit):
    lesson = course.write("01_x", *CELLS)
    notebook = executed(lesson)
    assert not build.edited(lesson)
    assert build.keep_edited(lesson) is None
    edit(notebook.cells)
    build.write(lesson, notebook)
    before = lesson.notebook.read_bytes()
    build.build(lesson)
    kept, = (lesson.notebook.parent / build.KEPT).iterdir()
    assert kept.read_bytes() == before
    assert not build.edited(lesson)


def test_a_changed_master_is_nobodys_edit(course):
    executed(course.write("01_x", *CELLS))
    assert not build.edited(course.write("01_x", "# Other words", *CELLS[1:]))


def test_an_executed_notebook_passes_and_prose_may_change(course):
    lesson = course.write("01_x", *CELLS)
    executed(lesson)
    assert build.check(lesson) == []
    lesson = course.write("01_x", "# Other words", *CELLS[1:])
    build.build(lesson)
    assert build.check(lesson) == []


@pytest.mark.parametrize(("cells", "message"), [
    (("# Title\nWords.", "a = 2", "print(a)", "a = 1"), "cell 2 (a = 2)"),
    (CELLS[:3], "cell 4 (a = 1)"),
    ((*CELLS, "# More"), "cell 5 (# More)"),
])
def test_check_names_the_first_cell_that_differs(course, cells, message):
    executed(course.write("01_x", *CELLS))
    problems = build.check(course.write("01_x", *cells))
    assert problems == [f"01_x.ipynb differs from its master at {message}. "
                        "Edit the master, then: fmcourse build"]


def test_check_compares_the_header(course):
    executed(course.write("01_x", *CELLS))
    assert "the header" in build.check(course.write("01_x", *CELLS, claims="K2"))[0]


def test_check_finds_cells_never_executed(course):
    lesson = course.write("01_x", *CELLS)
    build.build(lesson)
    problems = build.check(lesson)
    assert len(problems) == 3
    assert all("never been executed" in problem for problem in problems)


def test_check_finds_error_outputs_but_lets_wanted_ones_pass(course):
    lesson = course.write("01_x", *CELLS)
    notebook = executed(lesson)
    error = nbformat.v4.new_output("error", ename="E", evalue="e", traceback=[])
    notebook.cells[2].outputs.append(error)
    build.write(lesson, notebook)
    assert "holds an error" in build.check(lesson)[0]
    master = lesson.master.read_text().replace(
        "# %%\nprint(a)", '# %% tags=["raises-exception"]\nprint(a)')
    lesson.master.write_text(master)
    build.build(lesson)
    assert build.check(lesson) == []


def test_check_finds_outputs_made_by_other_code(course):
    executed(course.write("01_x", *CELLS))
    lesson = course.write("01_x", *CELLS[:3])  # what follows a removed cell may have changed
    build.build(lesson)
    assert "made by other code" in build.check(lesson)[0]


def test_check_wants_the_cpu_scale(course):
    lesson = course.write("01_x", *CELLS)
    executed(lesson, "smoke")
    assert "not of the cpu scale" in build.check(lesson)[0]


def test_check_needs_a_notebook(course):
    lesson = course.write("01_x", *CELLS)
    with pytest.raises(LessonError, match="has not been built"):
        build.check(lesson)
    lesson.notebook.write_text("{")
    with pytest.raises(LessonError, match="not a notebook"):
        build.check(lesson)


def test_a_missing_master_is_an_error(course):
    lesson = course.write("01_x", *CELLS)
    lesson.master.unlink()
    with pytest.raises(LessonError, match="master is missing"):
        build.build(lesson)


def test_a_header_that_jupyter_refuses_is_an_error(course):
    lesson = course.write("01_x", *CELLS)
    text = lesson.master.read_text().replace("#   fmc", "#   kernelspec: {name: x}\n#   fmc")
    lesson.master.write_text(text)
    with pytest.raises(LessonError, match="display_name"):
        build.build(lesson)
