"""Examples of a made-up service: which paragraph describes which command, and what is no pair."""

import pytest
from archives import make_zip

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive
from fmcourse.sources.readers import aws_examples
from fmcourse.sources.readers.aws_examples import one_line, pairs

LIGHT = r"""
**Example 1: To light a lamp**

The following ``light`` example lights the *big* lamp, see
`Lamps <https://example.org>`__. ::

    aws lamp light \
        --name big \
        --tags '{
            "a": "b"
        }'

Output::

    {
        "lamp": "aws lamp light"
    }

For more information, see `Lamps <https://example.org>`__.

**Example 2: To light them all**

Command::

  aws lamp light --all

Command::

  aws lamp light --none
"""


@pytest.fixture
def rows(tmp_path):
    archive = Archive(make_zip(tmp_path / "a.whl", {
        "awscli/examples/lamp/light.rst": LIGHT.encode(),
        "awscli/examples/lamp/wait/lamp-lit.rst": b"It waits. ::\n\n    aws lamp wait lamp-lit\n",
        "awscli/examples/lamp/dim.rst": b"One. ::\n\n    aws lamp light\n\nTwo. ::\n\n"
                                        b"    aws lamp dim\n    aws lamp dim\n",
        "awscli/examples/lamp/_concepts.rst": b"Lamps. ::\n\n    aws lamp x\n",
        "awscli/examples/global_options.rst": b"None. ::\n\n    aws x y\n",
        "awscli/lamp.py": b""}), "examples")
    return list(aws_examples.examples(archive))


def test_a_description_is_the_paragraph_above_or_else_the_title(rows):
    light = [row for row in rows if row["document"] == "lamp/light"]
    assert [row["text"] for row in light] == [
        "The following light example lights the big lamp, see Lamps.", "To light them all", "-"]
    assert [row["problem"] for row in light] == ["", "", "no description"]


def test_a_command_is_one_line(rows):
    assert rows[2]["command"] == "aws lamp light --name big --tags '{ \"a\": \"b\" }'"


def test_commands_of_other_operations_and_several_lines_are_marked(rows):
    dim = [row["problem"] for row in rows if row["document"] == "lamp/dim"]
    assert dim == ["another operation", "several lines"]


def test_a_folder_below_a_service_is_part_of_the_operation(rows):
    (wait,) = (row for row in rows if row["operation"] == "wait lamp-lit")
    assert (wait["service"], wait["document"], wait["problem"]) == (
        "lamp", "lamp/wait lamp-lit", "")


def test_files_beside_the_operations_are_not_read(rows):
    assert {row["document"] for row in rows} == {"lamp/light", "lamp/wait lamp-lit", "lamp/dim"}


def test_the_platform_in_front_of_a_command_describes_nothing():
    source = "Light it.\n\nCommand (Linux)::\n\n    aws a b\n\nWindows::\n\n    aws a b ^\n"
    assert [text for text, _ in pairs(source)] == ["Light it.", ""]


def test_a_file_is_parsed_and_not_trusted(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    source = (f".. include:: {secret}\n\n.. raw:: html\n   :file: {secret}\n\n"
              "It. ::\n\n    aws a b\n")
    assert list(pairs(source)) == [("It.", "aws a b")]


@pytest.mark.parametrize(("command", "line"), [
    ("aws a \\\n  b", "aws a b"), ("aws a \\ \n b", "aws a b"), ("aws a\n  b", "aws a\n  b"),
    ("aws a 'x\n y'", "aws a 'x y'"), ('aws a "x \\" \n y"', 'aws a "x \\" y"'),
    ("aws a 'x\n y", "aws a 'x\n y"),
])
def test_what_counts_as_one_line(command, line):
    assert one_line(command) == line


def test_an_archive_without_examples_or_with_other_bytes_says_so(tmp_path):
    with pytest.raises(SourceError, match="no examples"):
        list(aws_examples.examples(Archive(make_zip(tmp_path / "a.whl", {"a.py": b""}), "a")))
    broken = make_zip(tmp_path / "b.whl", {"awscli/examples/a/b.rst": b"\xff"})
    with pytest.raises(SourceError, match="not UTF-8"):
        list(aws_examples.examples(Archive(broken, "b")))
