"""Slides: a heading begins one, nothing is too high for the screen, nothing comes from the web."""

import nbformat
import pytest
from archives import make_zip
from nbformat import v4

from fmcourse.errors import LessonError
from fmcourse.lessons import build, slides, supplies
from fmcourse.lessons.site import network_references


@pytest.fixture
def reveal(monkeypatch, tmp_path):
    """A stand-in for the package that holds reveal.js."""
    files = {"dist/reveal.js": b"var Reveal = '<script>x</script>';",
             "dist/reveal.css": b".reveal {a:b}", "plugin/notes/notes.js": b"var RevealNotes;",
             "LICENSE": b"Permission is granted"}
    archive = make_zip(tmp_path / "reveal.whl", {slides.INSIDE + name: content
                                                 for name, content in files.items()})
    monkeypatch.setattr(supplies, "carry", lambda source, folder: archive)


def kinds(*cells):
    slides.divide(list(cells))
    return [cell.metadata["slideshow"]["slide_type"] for cell in cells]


def text(source, **more):
    return v4.new_markdown_cell(source, **more)


def test_a_heading_begins_a_slide_and_what_is_too_much_goes_below():
    long = "\n".join(["line"] * (slides.SCREEN - 4))
    assert kinds(text("# A"), text("some"), text("## B"), v4.new_code_cell("x = 1"),
                 v4.new_code_cell(long), text("### small"), text("more\n\n\n\nmore")) == [
        "slide", "-", "slide", "-", "-", "-", "subslide"]


def test_one_cell_that_is_too_high_is_a_slide_by_itself():
    high = v4.new_code_cell("\n".join("x" * 99))
    assert kinds(text("# A"), high, text("b")) == ["slide", "subslide", "subslide"]


def test_pictures_and_tables_take_room():
    plain = v4.new_code_cell("x")
    pictured = v4.new_code_cell("x", outputs=[v4.new_output(
        "display_data", {"image/png": "", "text/plain": "<Figure>"})])
    table = v4.new_code_cell("x", outputs=[v4.new_output(
        "display_data", {"text/html": "<tr>" * 10, "text/plain": ""})])
    printed = v4.new_code_cell("x", outputs=[v4.new_output("stream", text="a\nb\n")])
    assert [slides.height(cell) for cell in (plain, pictured, table, printed)] == [
        1, 1 + slides.PICTURE, 1 + 10 * slides.TABLE_ROW, 3]


def test_a_lesson_becomes_one_file_that_needs_no_network(course, reveal, tmp_path):
    lesson = course.write("01_x", "# Title\nLoss $x^2$", "print(1)", title="A & B")
    with pytest.raises(LessonError, match="no notebook"):
        slides.write(lesson, tmp_path)
    build.build(lesson)
    page = slides.write(lesson, tmp_path / "slides")
    told = page.read_text(encoding="utf-8")
    assert page.name == "01_x.slides.html"
    assert network_references(told) == []
    assert told.count("<section") >= 1
    assert ".reveal {a:b}" in told
    assert "Permission is granted" in told  # the licence asks for its words in every copy
    assert "'<script>x<\\/script>'" in told  # the page is not ended by what a script writes
    assert '<math display="inline"' in told
    assert "A &amp; B" in told


def test_of_a_widget_the_slide_shows_the_text(course, reveal, tmp_path):
    lesson = course.write("01_x", "# Title", "box")
    notebook = build.assemble(lesson)
    notebook.cells[-1].outputs = [v4.new_output("execute_result", {
        slides.WIDGET: {"model_id": "0", "version_major": 2, "version_minor": 0},
        "text/html": "<p>Choice 1 of 55</p>", "text/plain": "Choice 1 of 55"}, execution_count=1)]
    nbformat.write(notebook, lesson.notebook)
    assert "<p>Choice 1 of 55</p>" in slides.write(lesson, tmp_path).read_text()


def test_the_published_notebook_is_not_changed(course, reveal, tmp_path):
    lesson = course.write("01_x", "# Title", "print(1)")
    build.build(lesson)
    before = lesson.notebook.read_bytes()
    slides.write(lesson, tmp_path)
    assert lesson.notebook.read_bytes() == before
    assert nbformat.reads(before.decode(), as_version=4).cells
