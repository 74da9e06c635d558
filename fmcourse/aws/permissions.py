"""Actions and condition keys that AWS knows: `permissions.toml`, and botocore's operations."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from fmcourse.aws.conditions import glob
from fmcourse.aws.session import service


@cache
def table() -> dict[str, Any]:
    """What the file says."""
    text = files("fmcourse.aws").joinpath("permissions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def services() -> frozenset[str]:
    """Services whose actions are known here; others are not checked."""
    return frozenset(name for name, entry in table().items() if isinstance(entry, dict))


@cache
def actions(prefix: str) -> frozenset[str]:
    """Every action of a service, without its prefix."""
    entry = table()[prefix]
    known = {name for one in entry["operations"] for name in service(one).operation_names}
    for part in ("more", "objects", "buckets"):
        known |= set(entry.get(part, ()))
    return frozenset(known - set(entry.get("less", ())))


@cache
def is_action(name: str) -> bool:
    """Whether there is such an action, or any that fits its wildcards.

    >>> is_action("s3:GetObject"), is_action("s3:Get*"), is_action("s3:Get0bject")
    (True, True, False)
    """
    prefix, _, rest = name.partition(":")
    if prefix.lower() not in services():
        return True
    return any(glob(rest, known, ignore_case=True) for known in actions(prefix.lower()))


def is_key(name: str, prefixes: frozenset[str]) -> bool:
    """Whether there is such a condition key: a global one, or one of these services.

    >>> is_key("aws:SourceVpce", frozenset()), is_key("kms:ViaServce", frozenset(["kms"]))
    (True, False)
    """
    prefix, _, rest = name.partition(":")
    rest = rest.split("/")[0].split(":")[0].lower()
    if prefix.lower() == "aws":
        return rest in {one.lower() for one in table()["global"]}
    if prefix.lower() not in services():
        return ":" in name
    known = table()[prefix.lower()].get("keys")
    mine = not prefixes or prefix.lower() in prefixes
    return known is None or (mine and rest in {one.lower() for one in known})


def keys() -> list[str]:
    """Every condition key that is known here."""
    own = [f"{name}:{key}" for name in sorted(services()) for key in table()[name].get("keys", ())]
    return [f"aws:{key}" for key in table()["global"]] + own
