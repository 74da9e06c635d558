"""The HTML copy: it loads nothing from the network, keeps formulas, links its own pages."""

import nbformat
import pytest

from fmcourse.lessons import build
from fmcourse.lessons.execute import Failure, Outcome
from fmcourse.lessons.site import Pictures, Site, network_references, render


def outcome(lesson, failure=None):
    return Outcome(lesson, "cpu", 90.0, ({"claim": "K1", "verdict": "shown"},), failure,
                   lesson.notebook)


def page(course, *cells):
    lesson = course.write("01_x", *cells)
    pages = Site(course.root / "site", [lesson])
    return pages.page(lesson, build.assemble(lesson), outcome(lesson)).read_text()


def test_nothing_is_loaded_from_the_network(course):
    text = page(course, "# Title\n$x^2$ and [a link](https://example.org)", "print(1)")
    assert network_references(text) == []
    assert "<script" not in text
    assert 'href="https://example.org"' in text  # the check above is not blind to addresses


@pytest.mark.parametrize("html", [
    '<script src="https://a.b/c.js"></script>', "<img src='//a.b/c.png'>",
    '<link rel="stylesheet" href="http://a.b/c.css">', "<style>@import 'https://a.b/c.css'</style>",
    "<style>p {background: url(https://a.b/c.png)}</style>",
    "<script>import('https://a.b/c.mjs')</script>",
])
def test_references_to_the_network_are_found(html):
    assert len(network_references(html)) == 1


def test_formulas_become_mathml_and_what_cannot_stays(course):
    text = page(course, "# Title\nLoss $L = a N^{-\\alpha}$ and $x_{$.\n\n$$\\sum_i x_i$$")
    assert '<math display="inline"' in text
    assert '<math display="block"' in text
    assert "<mi>α</mi>" in text
    assert "$x_{$" in text


def test_where_a_widget_stood_its_text_is_shown(course):
    lesson = course.write("01_x", "1")
    notebook = build.assemble(lesson)
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data={
        "application/vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2},
        "text/html": "<p>Which is prime?</p>", "text/plain": "Which?"})]
    text = render(lesson, notebook, [lesson])
    assert "<p>Which is prime?</p>" in text
    assert "widget-view" not in text


def test_links_to_notebooks_lead_to_pages(course):
    text = page(course, "# Title\nSee [that](02_y.ipynb) and [this](02_y.ipynb#part).")
    assert 'href="02_y.html"' in text
    assert 'href="02_y.html#part"' in text


def test_pages_lead_to_their_neighbours(course):
    lessons = [course.write(name, "1", title=f"T {name} & co") for name in ("00_a", "01_b", "02_c")]
    pages = Site(course.root / "site", lessons)
    pages.page(lessons[1], build.assemble(lessons[1]), outcome(lessons[1]))
    text = (pages.folder / "01_b.html").read_text()
    assert '<a href="00_a.html">' in text
    assert '<a class="after" href="02_c.html">' in text
    assert "T 00_a &amp; co" in text


def test_the_index_keeps_what_other_runs_wrote(course):
    lessons = [course.write(name, "1", title="<b>") for name in ("00_a", "01_b", "02_c")]
    pages = Site(course.root / "site", lessons)
    pages.page(lessons[0], build.assemble(lessons[0]), outcome(lessons[0]))
    pages.page(lessons[1], build.assemble(lessons[1]),
               outcome(lessons[1], Failure(2, "x", "ValueError: <no>")))
    text = pages.index.read_text()
    assert text.count("1.5 minutes at the cpu scale") == 2
    assert "Stopped: ValueError: &lt;no&gt;" in text
    assert "not run yet: <code>fmcourse run 02</code>" in text
    assert "<b>" not in text


def test_a_broken_record_of_results_is_started_afresh(course):
    lesson = course.write("00_a", "1")
    pages = Site(course.root / "site", [lesson])
    pages.folder.mkdir()
    (pages.folder / "results.json").write_text("{")
    pages.page(lesson, build.assemble(lesson), outcome(lesson))
    assert "K1 shown" in pages.index.read_text()


def test_pictures_of_an_earlier_run_go(tmp_path):
    for name in ("01-1.png", "01-2.png", "02-1.png"):
        (tmp_path / name).write_text("old")
    pictures = Pictures(tmp_path, "01")
    cell = nbformat.v4.new_code_cell(outputs=[
        nbformat.v4.new_output("stream", text="x"),
        nbformat.v4.new_output("display_data", data={"image/png": "aGk="})])
    assert pictures.save(cell) == tmp_path / "01-1.png"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "01-1.png": "hi", "02-1.png": "old"}
