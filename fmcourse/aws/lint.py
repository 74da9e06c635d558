"""Policies held against IAM's grammar and AWS's lists of actions and condition keys.

IAM takes many a document that does nothing or too much: an action that is misspelt allows nobody
anything, a right to list that names objects instead of their bucket never applies, and `*` applies
always. Ours, since the linter made for this, parliament (Duo Labs, BSD 3-clause), no longer imports
with setuptools 82 and later, knows no trust policies, and raises where a document is no policy; a
test still compares the two. AWS's own, Access Analyzer's ValidatePolicy, needs an account.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fmcourse.aws.conditions import is_operator, listed, operators
from fmcourse.aws.findings import Finding
from fmcourse.aws.permissions import actions, is_action, is_key, keys, services, table
from fmcourse.aws.policies import VERSION
from fmcourse.errors import AwsError, meant

KINDS = ("identity", "trust", "bucket", "key", "endpoint")
_DOCUMENT = ("Version", "Id", "Statement")
_PARTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
          "NotResource", "Condition")
_CALLERS = ("AWS", "Service", "Federated", "CanonicalUser")
_DEPUTY = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"}
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)


def lint(policy: Mapping[str, Any] | str, kind: str = "identity") -> list[Finding]:
    """Everything that is wrong with a policy, or dangerous in it.

    Args:
        policy: the document, or its JSON.
        kind: one of KINDS: 'identity' for what a role or user may do, 'trust' for who may take a
            role on, else the policy of a bucket, key or VPC endpoint.

    Raises:
        AwsError: there is no such kind.

    >>> print(*lint({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action":
    ...     "s3:ListBucket", "Resource": "arn:aws:s3:::data/*"}]}))
    Statement 1.Resource: s3:ListBucket is a right on a bucket, and no bucket is named. Add the \
ARN of the bucket itself, without a slash. [resource]
    """
    if kind not in KINDS:
        raise AwsError(f"There is no kind of policy called {kind!r}.", where="lint",
                       fix=meant(str(kind), KINDS))
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError as error:
            return [Finding("document", "json", f"It is no JSON: {error}.", "Correct it there.")]
    return list(_document(policy, kind))


def _document(policy: Any, kind: str) -> Iterator[Finding]:
    if not isinstance(policy, Mapping):
        yield Finding("document", "grammar", "It is no JSON object.", "Begin it with { }.")
        return
    yield from _unknown("document", policy, _DOCUMENT)
    if policy.get("Version") != VERSION:
        yield Finding("Version", "grammar", "It is not the current version of the language.",
                      f'Say "Version": "{VERSION}"; without it, variables are plain text.')
    parts = listed(policy["Statement"]) if "Statement" in policy else []
    if not parts:
        yield Finding("Statement", "grammar", "There is no statement.", "Add one.")
    for i, part in enumerate(parts, 1):
        where = f"Statement {i}"
        if isinstance(part, Mapping):
            yield from _statement(where, part, kind)
        else:
            yield Finding(where, "grammar", "It is no JSON object.", "Begin it with { }.")
    sids = Counter(part["Sid"] for part in parts
                   if isinstance(part, Mapping) and isinstance(part.get("Sid"), str))
    for sid in (sid for sid, times in sids.items() if times > 1):
        yield Finding("Statement", "grammar", f"Several are called {sid}.", "Name each by itself.")


def _unknown(where: str, found: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Finding]:
    for name in found:
        if name not in known:
            yield Finding(where, "grammar", f"There is no element {name!r}.",
                          meant(str(name), known))


def _statement(where: str, part: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    yield from _unknown(where, part, _PARTS)
    if part.get("Effect") not in ("Allow", "Deny"):
        yield Finding(f"{where}.Effect", "grammar", "It says neither Allow nor Deny.",
                      "Say one of them.")
    if "Sid" in part and not re.fullmatch(r"[A-Za-z0-9 ]*", str(part["Sid"])):
        yield Finding(f"{where}.Sid", "grammar", "It has other signs than letters and digits.",
                      "Leave them out.")
    yield from _one_of(where, part, "Action", True)
    yield from _one_of(where, part, "Resource", kind != "trust")
    yield from _one_of(where, part, "Principal", kind != "identity")
    named = _texts(part, "Action") + _texts(part, "NotAction")
    yield from _actions(where, part, named)
    yield from _resources(where, part, named)
    yield from _callers(where, part)
    yield from _condition(where, part, named)
    yield from _too_wide(where, part, kind)


def _one_of(where: str, part: Mapping[str, Any], name: str, needed: bool) -> Iterator[Finding]:
    """An element or its opposite is there once, or not at all where it has no place."""
    there = [one for one in (name, f"Not{name}") if one in part]
    if needed and len(there) != 1:
        yield Finding(where, "grammar", f"It needs either {name} or Not{name}.",
                      f"Add {name}." if not there else "Keep one of them.")
    if not needed and there:
        yield Finding(f"{where}.{there[0]}", "grammar", "It has no place in a policy of this kind.",
                      "Leave it out.")
    for one in there:
        entries = listed(part[one])
        if name != "Principal" and not (entries and all(isinstance(e, str) for e in entries)):
            yield Finding(f"{where}.{one}", "grammar", "It is no text and no list of texts.",
                          "Give at least one text.")


def _texts(part: Mapping[str, Any], name: str) -> list[str]:
    return [one for one in listed(part.get(name, [])) if isinstance(one, str)]


def _actions(where: str, part: Mapping[str, Any], named: list[str]) -> Iterator[Finding]:
    for one in named:
        if one != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?-]+", one):
            yield Finding(f"{where}.Action", "action", f"{one!r} has not the shape of an action.",
                          "Write service:Action, such as s3:GetObject.")
        elif not is_action(one):
            prefix, _, rest = one.partition(":")
            yield Finding(f"{where}.Action", "action", f"There is no action {one}: it says "
                          "nothing.", meant(rest, sorted(actions(prefix.lower())))
                          if not set(rest) & set("*?") else "Correct the part before the wildcard.")


def _resources(where: str, part: Mapping[str, Any], named: list[str]) -> Iterator[Finding]:
    resources = _texts(part, "Resource") + _texts(part, "NotResource")
    for one in resources:
        if one != "*" and not _ARN.fullmatch(one):
            yield Finding(f"{where}.Resource", "arn", f"{one!r} is no ARN.",
                          "Write arn:partition:service:region:account:resource; some are empty.")
    if "Resource" not in part or not resources:
        return
    paths = [one.split(":", 5)[5] for one in resources if one.count(":") >= 5]
    anything = len(paths) < len(resources) or any(path.startswith("*") for path in paths)
    for kind, there, what, fix in (
            ("buckets", any("/" not in path for path in paths), "on a bucket, and no bucket",
             "Add the ARN of the bucket itself, without a slash."),
            ("objects", any("/" in path or "*" in path for path in paths),
             "on objects, and no object", "Add the bucket's ARN with /* behind it.")):
        for one in named:
            prefix, _, rest = one.partition(":")
            if prefix == "s3" and rest in table()["s3"][kind] and not (there or anything):
                yield Finding(f"{where}.Resource", "resource",
                              f"{one} is a right {what} is named.", fix)


def _callers(where: str, part: Mapping[str, Any]) -> Iterator[Finding]:
    for element in ("Principal", "NotPrincipal"):
        callers = part.get(element, "*")
        if callers == "*":
            continue
        if not isinstance(callers, Mapping) or not callers:
            yield Finding(f"{where}.{element}", "grammar", "It is neither * nor an object.",
                          'Write such as {"AWS": "arn:aws:iam::111122223333:role/Name"}.')
            continue
        yield from _unknown(f"{where}.{element}", callers, _CALLERS)
        for one in listed(callers.get("AWS", [])):
            if not (one == "*" or re.fullmatch(r"\d{12}", str(one)) or _ARN.fullmatch(str(one))):
                yield Finding(f"{where}.{element}", "arn", f"{one!r} is no ARN and no account.",
                              "Write arn:aws:iam::account:role/Name.")
        for one in listed(callers.get("Service", [])):
            if not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", str(one)):
                yield Finding(f"{where}.{element}", "principal", f"{one!r} is no service.",
                              "Write such as bedrock.amazonaws.com.")


def _condition(where: str, part: Mapping[str, Any], named: list[str]) -> Iterator[Finding]:
    prefixes = frozenset(one.partition(":")[0].lower() for one in named) - {"*"}
    condition = part.get("Condition", {})
    if not isinstance(condition, Mapping):
        yield Finding(f"{where}.Condition", "grammar", "It is no JSON object.",
                      "Write operator, key and value.")
        return
    for operator, wanted in condition.items():
        if not is_operator(operator):
            yield Finding(f"{where}.Condition", "operator", f"There is no operator {operator!r}.",
                          meant(str(operator), operators()))
        if not isinstance(wanted, Mapping):
            yield Finding(f"{where}.Condition.{operator}", "grammar", "It is no JSON object.",
                          "Write key and value.")
            continue
        for key in wanted:
            if not is_key(key, prefixes & services()):
                yield Finding(f"{where}.Condition.{operator}", "key", f"No request of these "
                              f"actions has a key {key!r}.", meant(str(key), keys()))


def _too_wide(where: str, part: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    """What the language allows and least privilege does not."""
    if part.get("Effect") != "Allow":
        return
    for name in ("NotAction", "NotPrincipal", "NotResource"):
        if name in part:
            yield Finding(f"{where}.{name}", "wide", "With Allow it gives everything else, and "
                          "all that AWS will add.", f"Say what is allowed, in {name[3:]}.")
    acts, resources = _texts(part, "Action"), _texts(part, "Resource")
    for one in acts:
        if one == "*" or (one.endswith(":*") and kind != "key"):
            yield Finding(f"{where}.Action", "wide", f"{one} gives every action.",
                          "Name those that are needed.")
    if kind == "identity" and "*" in resources and any(
            one.startswith(("s3:Get", "s3:Put", "s3:Delete", "s3:ListBucket", "kms:",
                            "iam:PassRole", "lambda:Invoke")) for one in acts):
        yield Finding(f"{where}.Resource", "wide", "* is everything in the account, and beyond.",
                      "Name the bucket, key or role.")
    callers = part.get("Principal")
    condition = part.get("Condition")
    asked = {str(key).lower() for wanted in (condition if isinstance(condition, Mapping) else {}
                                             ).values() if isinstance(wanted, Mapping)
             for key in wanted}
    if isinstance(callers, Mapping) and "Service" in callers and not asked & _DEPUTY:
        yield Finding(f"{where}.Condition", "deputy", "The service could be made to use this for "
                      "somebody else's work.", "Ask for aws:SourceAccount and aws:SourceArn.")
    anyone = callers == "*" or (isinstance(callers, Mapping) and "*" in listed(callers.get("AWS")))
    if anyone and not part.get("Condition"):
        yield Finding(f"{where}.Principal", "public", "It lets anyone in, without a condition.",
                      "Name a role, or add a condition.")
