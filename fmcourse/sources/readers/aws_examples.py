"""The examples of the AWS command line interface: what someone wants, and the command that does it.

An awscli wheel has a file of examples for most operations (`awscli/examples/<service>/<operation>
.rst`). docutils parses them, so roles, links and quoting are its business; nothing is imported from
the wheel. A description is the last paragraph before a command, or the bold title above it when
there is none. Trade-off: no file is judged as a whole; a block that begins with `aws ` is a row
whether or not it can be used, and `problem` says what speaks against it, so that whoever drops it
can count it. White space is normalised inside quotes too, which JSON doesn't mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree

from fmcourse.errors import SourceError
from fmcourse.sources.archive import Archive

_MEMBER = re.compile(r"awscli/examples/([^_/][^/]*)/((?:[^_/][^/]*/)?[^_/][^/]*)\.rst")
# Files are parsed, not trusted: no inclusion, no raw text, no settings from this machine.
_SETTINGS = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False,
             "raw_enabled": False, "_disable_config": True}
_CONTINUED = re.compile(r"\s*\\[ \t]*\n\s*")
_ONE_LINE = re.compile(r"""(?:[^'"\\\n]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*+""", re.S)
_NUMBER = re.compile(r"^Example \d+[a-z]?\s*[:.–-]?\s*", re.I)
_LABEL = re.compile(r"(?:sample )?(?:command|output|input|example|request|response)s?"
                    r"(?: \d+| \(.*\))?|\(?(?:linux|windows)\b.{0,20}", re.I)
_ASIDE = re.compile(r"(?:For (?:more|additional) information|See also|Contents of)\b", re.I)


def examples(archive: Archive) -> Iterator[dict[str, str]]:
    """Rows `text` (a description), `command` (one line), `service`, `operation`, `document`.

    `document` is '<service>/<operation>', from the file's path. `problem` is '' or why a row makes
    no pair: 'no description', 'several lines' or 'another operation'.

    Raises:
        SourceError: no examples in the archive, or one that is not UTF-8.
    """
    members = [name for name in archive.names() if _MEMBER.fullmatch(name)]
    if not members:
        raise SourceError("There are no examples in this archive.", where=archive.path,
                          fix="Register an awscli wheel for the reader 'aws_examples'.")
    for name, blob in archive.many(members).items():
        service, operation = _MEMBER.fullmatch(name).groups()
        operation = operation.replace("/", " ").removesuffix("-examples")  # emr has such files
        try:
            found = list(pairs(blob.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise SourceError(f"This example is not UTF-8: {error}.", where=name,
                              fix="Delete the archive and fetch the source again.") from error
        for text, command in found:
            yield {"text": text or "-", "command": command, "service": service,
                   "operation": operation, "document": f"{service}/{operation}",
                   "problem": _problem(text, command, f"aws {service} {operation}")}


def pairs(source: str) -> Iterator[tuple[str, str]]:
    """Descriptions and commands of one reStructuredText file, in order.

    >>> list(pairs("This ``light`` example lights one. ::\\n\\n    aws lamp light"))
    [('This light example lights one.', 'aws lamp light')]
    """
    title = said = ""
    document: Any = publish_doctree(source, settings_overrides=_SETTINGS)
    for node in document.findall(_is_read):
        if isinstance(node, nodes.literal_block):
            if node.astext().startswith("aws "):
                yield said or title, one_line(node.astext())
                title = ""  # the second command below a title is another one
            said = ""
        elif _is_title(node):
            title, said = _NUMBER.sub("", _words(node)), ""
        elif not (_LABEL.fullmatch(_words(node)) or _ASIDE.match(_words(node))):
            said = _words(node)


def one_line(command: str) -> str:
    """A command without continuation lines; what has several lines keeps their ends.

    >>> one_line("aws lamp light \\\\\\n    --name 'a  b'")
    "aws lamp light --name 'a b'"
    >>> one_line("aws lamp light\\naws lamp dim")
    'aws lamp light\\naws lamp dim'
    """
    joined = _CONTINUED.sub(" ", command.strip())
    return " ".join(joined.split()) if _ONE_LINE.fullmatch(joined) else joined


def _is_read(node: nodes.Node) -> bool:
    return isinstance(node, nodes.title | nodes.paragraph | nodes.literal_block)


def _is_title(node: nodes.Element) -> bool:
    """A section's title, or a paragraph that is bold from end to end."""
    return isinstance(node, nodes.title) or (
        len(node.children) == 1 and isinstance(node.children[0], nodes.strong))


def _words(node: nodes.Node) -> str:
    """A paragraph without markup, line ends, or the colon that announces a command."""
    return " ".join(node.astext().split()).rstrip(" :")


def _problem(text: str, command: str, wanted: str) -> str:
    if "\n" in command:
        return "several lines"
    if not f"{command} ".startswith(f"{wanted} "):
        return "another operation"
    return "" if text else "no description"
