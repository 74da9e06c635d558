"""Projects and documents as files: a project in TOML, policies and requests in JSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from fmcourse import store
from fmcourse.aws import policies
from fmcourse.aws.checks import check
from fmcourse.aws.findings import Finding
from fmcourse.aws.lint import KINDS, lint
from fmcourse.aws.project import Network, Project
from fmcourse.aws.requests import Request, setting_up
from fmcourse.errors import AwsError, meant


def read_project(path: Path) -> Project:
    """A project from a TOML file that has its attributes, and a table `network` if it has one.

    Raises:
        AwsError: the file cannot be read, or is no project.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AwsError(f"The project cannot be read: {error}.", where=path,
                       fix='Write at least: account = "111122223333" and bucket = "my-team-data".',
                       ) from error
    network = found.pop("network", None)
    if network is not None and not isinstance(network, dict):
        raise AwsError("Its network is no table.", where=path, fix="Begin one with [network].")
    network = network and _made(Network, network, path)
    return _made(Project, {**found, "network": network}, path)


def _made(kind: type, given: dict[str, Any], path: Path) -> Any:
    known = [one.name for one in fields(kind)]
    for name in given:
        if name not in known:
            raise AwsError(f"A {kind.__name__.lower()} has no {name!r}.", where=path,
                           fix=meant(name, known))
    for one in fields(kind):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in given:
            raise AwsError(f"The {kind.__name__.lower()}'s {one.name!r} is missing.", where=path,
                           fix=f"Add it: {one.name} = …")
    return kind(**given)


def documents(project: Project) -> dict[str, policies.Policy]:
    """Every policy of a project, by file name; the name says its kind."""
    made = {"trust-policy": policies.trust_policy, "training-role-policy": policies.role_policy,
            "people-trust-policy": policies.people_policy,
            "engineer-policy": policies.engineer_policy, "auditor-policy": policies.auditor_policy,
            "bucket-policy": policies.bucket_policy}
    if project.key:
        made["key-policy"] = policies.key_policy
    if project.network:
        made["endpoint-policy"] = policies.endpoint_policy
    return {f"{name}.json": make(project) for name, make in made.items()}


def write_documents(project: Project, folder: Path, force: bool = True) -> list[Path]:
    """Write a project's policies, and in `setup` the requests that put them in place.

    Args:
        force: as for `write_all`.

    Raises:
        StoreError: as for `write_all`.
    """
    made = {Path(folder) / name: policy for name, policy in documents(project).items()}
    for i, request in enumerate(setting_up(project), 1):
        name = f"{i:02d}-{request.service}-{request.operation}.json"
        made[Path(folder) / "setup" / name] = request.as_dict()
    return write_all(made, force)


def write_request(request: Request, path: Path, force: bool = True) -> Path:
    """Write a request as JSON; `force` as for `write_all`."""
    return write_all({Path(path): request.as_dict()}, force)[0]


def write_all(made: Mapping[Path, Any], force: bool = True) -> list[Path]:
    """Write files of JSON: all, or none.

    Args:
        made: what is in each.
        force: replace files that say something else.

    Raises:
        StoreError: there are such files, and `force` is False.
    """
    texts = {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
             for path, content in made.items()}
    store.refuse_to_replace(texts, force)
    return [store.atomic_write(path, text) for path, text in texts.items()]


def read_request(path: Path) -> Request:
    """A request from its file.

    Raises:
        AwsError: it is none.
    """
    return _request(_read(path), path)


def _request(found: Any, path: Path) -> Request:
    wanted = [one.name for one in fields(Request)]
    if not isinstance(found, dict) or sorted(found) != sorted(wanted) or not (
            isinstance(found["parameters"], dict)
            and all(isinstance(found[name], str) for name in wanted[:3])):
        raise AwsError(f"A request has {', '.join(wanted)}.", where=path,
                       fix="Write one: fmcourse aws request …")
    return Request(**found)


def check_file(path: Path) -> list[Finding]:
    """A policy or request in a file, checked.

    The kind of a policy is in its name: trust-, bucket-, key- or endpoint-policy.json; any other is
    one of a role.

    Raises:
        AwsError: it is no JSON, or neither.
    """
    found = _read(path)
    if isinstance(found, dict) and "operation" in found:
        return check(_request(found, path))
    name = Path(path).name
    return lint(found, next((kind for kind in KINDS if f"{kind}-policy" in name), "identity"))


def _read(path: Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AwsError(f"It cannot be read: {error}.", where=path,
                       fix="Write it with: fmcourse aws policies …") from error
