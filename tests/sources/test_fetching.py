"""Fetching: verified, once, whole or not at all."""

import errno
import shutil

import pytest

from fmcourse.errors import SourceError
from fmcourse.sources import fetch, fetching, index, registered, verify


def test_fetch_from_the_wheelhouse_then_from_the_cache(world, offline):
    original = world.register("a", {"x.txt": b"hello"})
    path = fetch("a")
    assert path.read_bytes() == original.read_bytes()
    original.unlink()  # from now on neither wheelhouse nor network is needed
    assert fetch("a") == path
    assert verify("a").state == "ready"


def test_a_cached_source_is_not_hashed_again(world, offline, monkeypatch):
    world.register("a", {"x.txt": b"hello"})
    path = fetch("a")
    monkeypatch.setattr(fetching.store, "sha256_file", lambda _: pytest.fail("hashed again"))
    assert fetch("a") == path


def test_a_copied_cache_is_accepted_by_hash(world, offline):
    original = world.register("a", {"x.txt": b"hello"})
    path = fetch("a")
    original.unlink()
    path.touch()
    assert fetch("a") == path


def test_wrong_hash_in_the_wheelhouse(world, offline):
    world.register("a", {"x.txt": b"hello"}, sha256="0" * 64)
    with pytest.raises(SourceError, match=r"'a' is not the registered one"):
        fetch("a")
    assert world.leftovers() == []


def test_half_a_download_is_caught_and_not_kept(world, monkeypatch):
    original = world.register("a", {"x.txt": b"hello" * 99})
    whole = original.read_bytes()
    original.unlink()

    def half(source, folder):
        (folder / source.file).write_bytes(whole[: len(whole) // 2])
        return folder / source.file

    monkeypatch.setattr(index, "download", half)
    with pytest.raises(SourceError, match="not the registered one"):
        fetch("a")
    assert world.leftovers() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SourceError("no network")])
def test_an_interrupted_fetch_leaves_nothing(world, monkeypatch, error):
    world.register("a", {"x.txt": b"hello"}).unlink()

    def stop(source, folder):
        (folder / source.file).write_bytes(b"half")
        raise error

    monkeypatch.setattr(index, "download", stop)
    with pytest.raises(type(error)):
        fetch("a")
    assert world.leftovers() == []
    assert verify("a").state == "absent"


def test_full_disk(world, offline, monkeypatch):
    world.register("a", {"x.txt": b"hello"})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching.shutil, "copyfile", full)
    with pytest.raises(SourceError, match="the disk is full") as caught:
        fetch("a")
    assert "FMCOURSE_HOME" in str(caught.value)
    assert world.leftovers() == []


def test_a_changed_file_is_damaged_and_fetched_again(world, offline):
    world.register("a", {"x.txt": b"hello"})
    path = fetch("a")
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    assert verify("a").state == "damaged"
    assert not verify("a")
    assert fetch("a").read_bytes() == good


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"sha256": "x", "files": {}}', None])
def test_a_broken_manifest_is_made_again(world, offline, manifest):
    world.register("a", {"x.txt": b"hello"})
    path = fetch("a")
    if manifest is None:
        (path.parent / fetching.MANIFEST).unlink()
    else:
        (path.parent / fetching.MANIFEST).write_text(manifest)
    assert verify("a").state == "damaged"
    assert fetch("a") == path
    assert verify("a").state == "ready"


def test_what_a_killed_fetch_left_is_swept_away(world, offline):
    world.register("a", {"x.txt": b"hello"})
    draft = world.home / "sources" / ".partial-a-1.0-dead"
    draft.mkdir(parents=True)
    (draft / "half").write_bytes(b"1")
    fetch("a")
    assert not draft.exists()


def test_a_model_is_a_folder_with_the_member_only(world, offline):
    world.register("m", {"pkg/weights.gguf": b"GGUF", "pkg/code.py": b"boom"}, reader="model",
                   member="pkg/weights.gguf")
    folder = fetch("m")
    assert sorted(p.name for p in folder.iterdir()) == [fetching.MANIFEST, "weights.gguf"]
    assert (folder / "weights.gguf").read_bytes() == b"GGUF"
    assert verify("m")


def test_a_missing_member_is_named(world, offline):
    world.register("m", {"pkg/other": b""}, reader="model", member="pkg/weights.gguf")
    with pytest.raises(SourceError, match=r"no file pkg/weights\.gguf"):
        fetch("m")
    assert world.leftovers() == []


def test_two_sources_of_one_archive_share_it(world, offline):
    world.register("a", {"x.txt": b"hello"})
    entry = world.registry.read_text()
    world.registry.write_text(entry + entry.replace("[a]", "[b]"))
    registered._read.cache_clear()
    assert fetch("a") == fetch("b")


def test_python_docs_need_no_fetch(offline):
    assert fetch("python-docs").name == "topics.py"
    assert verify("python-docs")


def test_an_unwritable_home_is_an_error_with_a_remedy(world, offline, monkeypatch):
    world.register("a", {"x.txt": b"hello"})

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(SourceError, match="Permission denied"):
        fetch("a")
