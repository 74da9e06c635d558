"""Sources and models already on disk, and whether the rest can be fetched.

Nothing is downloaded here. A source that is absent is no fault: it is fetched when first used. It
becomes one when the package index cannot be reached, which is asked through pip itself, so that
the reader's own mirrors, proxies and certificates count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding, delete, pip, python, setting

BASE = Path(__file__).resolve().parents[1] / "models" / "base"
INDEX_SECONDS, HUB_SECONDS = 8, 4


def _size(path: Path | None) -> int:
    """Bytes of a file or of all files below a folder."""
    if path is None:
        return 0
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def absent_packages() -> list[str]:
    """Packages the index must still provide; empty when every source is on disk."""
    from fmcourse import sources

    found = sources.registry().values()
    return list(dict.fromkeys(
        source.package for source in found
        if source.kind in ("wheel", "sdist") and sources.verify(source.name).state == "absent"))


def cached() -> Iterator[Finding]:
    """Every registered source: ready, absent or damaged, by its hash."""
    from fmcourse import sources

    known = sources.registry().values()
    # Sources read from one archive share a file, which is large: hash it once.
    archives = {(s.package, s.version, s.member or s.file): s.name for s in known}
    states = [sources.verify(name) for name in archives.values()]
    for status in states:
        if status.state == "damaged":
            yield Finding("sources", PROBLEM, f"{status.name} is damaged: {status.detail}.",
                          f"{delete(status.path)}  (it is fetched again when it is used)")
    ready = [status for status in states if status.state == "ready"]
    absent = [status.name for status in states if status.state == "absent"]
    megabytes = sum(_size(status.path) for status in ready) / 1e6
    told = f"{len(ready)} of {len(states)} archives on disk ({megabytes:.0f} MB), hashes verified"
    later = f"; fetched when first used: {', '.join(absent)}" if absent else ""
    yield Finding("sources", OK, f"{told}{later}.")


def models() -> Iterator[Finding]:
    """The base model that comes with the course, and converted models in the cache."""
    from safetensors import SafetensorError, safe_open

    from fmcourse import store

    converted = {path.name: path for path in sorted((store.home() / "models").glob("*"))
                 if path.is_dir() and not path.name.startswith(".")}
    if not (BASE / "config.json").is_file():
        yield Finding("models", WARN, "The base model is not in this installation; lessons that "
                      "start from it cannot run.", "git checkout -- fmcourse/models/base")
    else:
        converted = {"base": BASE} | converted
    for name, folder in converted.items():
        weights = sorted(folder.glob("*.safetensors"))
        try:
            count = 0
            for file in weights:
                with safe_open(file, framework="numpy") as tensors:
                    count += len(tensors.keys())
        except (SafetensorError, OSError) as error:
            count, reason = 0, f"its weights cannot be read ({error})"
        else:
            reason = "it has no weights"
        if count:
            yield Finding("models", OK, f"{name}: {count} tensors, {_size(folder) / 1e6:.0f} MB.")
        else:
            again = "git checkout -- fmcourse/models/base" if folder == BASE else delete(folder)
            yield Finding("models", PROBLEM, f"{name} is damaged: {reason}.", again)


def index() -> Iterator[Finding]:
    """Whether pip can find what is still to be fetched."""
    absent = absent_packages()
    package = absent[0] if absent else "pip"
    command = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check",
               "--timeout", "4", "--retries", "0", "index", "versions", package]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=INDEX_SECONDS)
        answered, said = asked.returncode == 0, asked.stderr
    except subprocess.TimeoutExpired:
        answered, said = False, ""
    if "No module named pip" in said:
        yield Finding("package index", PROBLEM, "This Python has no pip, which fetches the data.",
                      python("-m ensurepip"))
    elif answered:
        yield Finding("package index", OK, "pip reaches its package index.")
    elif not absent:
        yield Finding("package index", OK, "pip does not reach its package index, which is not "
                      "needed: every source is on disk.")
    elif os.environ.get("FMCOURSE_WHEELHOUSE"):
        yield Finding("package index", WARN, "pip does not reach its package index; sources come "
                      "from FMCOURSE_WHEELHOUSE.", pip("config list"))
    else:
        yield Finding("package index", PROBLEM, f"pip finds no {package} in its package index, and "
                      f"these are not on disk yet: {', '.join(absent)}.",
                      f"{pip('config set global.index-url YOUR_MIRROR')}  (or, without a network, "
                      f"{setting('FMCOURSE_WHEELHOUSE', 'FOLDER_WITH_THE_FILES')})")


def hub() -> Iterator[Finding]:
    """Whether the model hub answers; no lesson depends on it."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        yield Finding("model hub", OK, "Switched off by HF_HUB_OFFLINE; no lesson needs it.")
        return
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=HUB_SECONDS).close()
    except (urllib.error.URLError, OSError, ValueError):
        yield Finding("model hub", OK, "Not reachable; no lesson needs it.")
    else:
        yield Finding("model hub", OK, "Reachable; no lesson needs it.")
