"""The package index: found as pip finds it, read without running anything."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmcourse import store
from fmcourse.errors import SourceError
from fmcourse.sources import fetch, get, index


@pytest.fixture
def local_index(world, monkeypatch, tmp_path):
    """A file: index as pip's only one, and no wheelhouse."""
    root = tmp_path / "simple"

    def publish(name: str) -> None:
        file = world.wheelhouse / get(name).file
        (root / name).mkdir(parents=True)
        (root / name / file.name).write_bytes(file.read_bytes())
        (root / name / "index.html").write_text(
            f'<a data-x="1" href="{file.name}#sha256={store.sha256_file(file)}">{file.name}</a>')

    monkeypatch.delenv("FMCOURSE_WHEELHOUSE")
    monkeypatch.setattr(index, "configured", lambda: {"index-url": root.as_uri()})
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", root.as_uri())
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return publish


def test_an_sdist_comes_from_the_index_and_is_not_run(world, local_index, tmp_path):
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
    world.register("a", {"a-1.0/setup.py": trap.encode()}, kind="sdist")
    local_index("a")
    assert fetch("a").name == "a-1.0.tar.gz"
    assert not (tmp_path / "ran").exists()


def test_an_sdist_the_index_lacks(world, local_index, tmp_path):
    world.register("a", {"a-1.0/x": b""}, kind="sdist")
    with pytest.raises(SourceError, match="'a' could not be fetched") as caught:
        fetch("a")
    assert "FMCOURSE_WHEELHOUSE" in str(caught.value)
    assert world.leftovers() == []


def test_a_wheel_comes_through_pip(world, local_index):
    metadata = b"Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"
    world.register("a", {"a/x.txt": b"hi", "a-1.0.dist-info/METADATA": metadata,
                         "a-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
                         "a-1.0.dist-info/RECORD": b""})
    local_index("a")
    assert fetch("a").name == get("a").file


def answer(code: int, errors: str):
    return lambda *_: subprocess.CompletedProcess([], code, "", errors)


@pytest.mark.parametrize(("errors", "message"), [
    ("ERROR: Could not find a version\nERROR: No matching distribution found for a", "No matching"),
    ("python: No module named pip", "has no pip"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES from the file", "not the registered one"),
    ("ERROR: [Errno 28] No space left on device", "disk is full"),
    ("", "no such file"),
])
def test_what_pip_says_becomes_advice(world, monkeypatch, errors, message):
    world.register("a", {"x": b""}).unlink()
    monkeypatch.setattr(index, "_run_pip", answer(1, errors))
    with pytest.raises(SourceError, match=message):
        fetch("a")
    assert world.leftovers() == []


def test_no_network(world, monkeypatch):
    world.register("a", {"x": b""}, kind="sdist").unlink()
    monkeypatch.setattr(index, "configured", lambda: {"index-url": "http://127.0.0.1:9"})
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(SourceError, match="did not answer"):
        fetch("a")
    monkeypatch.setattr(index, "configured", lambda: {"no-index": "1"})
    with pytest.raises(SourceError, match="no package index"):
        fetch("a")


def test_find_links_are_asked_first(world, monkeypatch):
    world.register("a", {"a-1.0/x": b""}, kind="sdist")
    monkeypatch.delenv("FMCOURSE_WHEELHOUSE")
    monkeypatch.setattr(index, "configured", lambda: {"find-links": str(world.wheelhouse)})
    assert fetch("a").is_file()


def test_settings_rank_environment_over_command_over_global(monkeypatch):
    listing = ("global.index-url='https://g/simple'\ndownload.index-url='https://d/simple'\n"
               ":env:.timeout='5'\nglobal.timeout='9'\ninstall.index-url='https://i/simple'\n")
    monkeypatch.setattr(index, "_run_pip",
                        lambda *_: subprocess.CompletedProcess([], 0, listing, ""))
    assert index.configured() == {"index-url": "https://d/simple", "timeout": "5"}


def test_the_default_index_is_the_one_pip_names(monkeypatch):
    usage = "  -i, --index-url <url>  Base URL (default https://index.example/simple). This"
    monkeypatch.setattr(index, "_run_pip", lambda *_: subprocess.CompletedProcess([], 0, usage, ""))
    assert index.indexes({"extra-index-url": "https://b"}) == [
        "https://index.example/simple", "https://b"]
    assert index.indexes({"no-index": "1"}) == []


def test_a_login_becomes_a_header_and_stays_on_its_host():
    request = index._request("https://me:p%40ss@host/simple/a/", "*/*")
    assert request.full_url == "https://host/simple/a/"
    assert request.unredirected_hdrs["Authorization"] == "Basic bWU6cEBzcw=="
    assert index.with_login("https://cdn/a", "https://me:x@host/simple") == "https://cdn/a"


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}-[0-9]\.[0-9]\.tar\.gz", fullmatch=True)


@given(st.lists(NAMES, unique=True))
def test_both_page_formats_give_the_same_links(names):
    base = "https://index.example/simple/a/"
    page = json.dumps({"files": [{"filename": n, "url": f"../f/{n}"} for n in names]}).encode()
    listing = "".join(f"<A class='x' HREF='../f/{n}#sha256=0'>{n}</A>\n" for n in names).encode()
    expected = [(n, f"https://index.example/simple/f/{n}") for n in names]
    assert list(index.links(page, "application/vnd.pypi.simple.v1+json", base)) == expected
    assert list(index.links(listing, "text/html", base)) == expected
