"""The revision book: a page a claim, made of what the course has already, to read without network.

A room on top of all others, since it takes from ledger, items, lessons and exercises and adds no
fact of its own. Jinja pages and a few lines of script rather than a site generator: the newest
Sphinx that may be installed beside awscli (which holds docutils below 0.20) is of 2024, and the
search of MkDocs does not work on files that are opened without a server, as these are.
"""

from fmcourse.book.chapters import Chapter, chapters
from fmcourse.book.writing import write

__all__ = ["Chapter", "chapters", "write"]
