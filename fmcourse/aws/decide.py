"""Would AWS allow this? Its evaluation of policies, for one request.

After `reference_policies_evaluation-logic_policy-eval-denyallow` and `…-cross-account` of the IAM
user guide (read on 2026-11-26): a Deny that applies, in any policy, decides. Else every ceiling (an
endpoint's policy, a permissions boundary, an organisation's policy) must allow. Then an Allow in
the caller's own policies is enough, or one of the resource that names the caller; a key's policy
and a role's trust policy must allow themselves; and across accounts both sides must. Without an
Allow the answer is no.

What it leaves out: session policies, and services with rules of their own (S3 access points, KMS
grants). AWS has the last word: `aws accessanalyzer` and the policy simulator ask it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from fmcourse.aws.conditions import filled, glob, holds, like, listed, normal
from fmcourse.errors import AwsError

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "explicitly denied", "not allowed by anything"
ANYONE = ""
_MUST_ALLOW = ("kms:", "sts:assumerole")  # services whose resource decides, whatever others say


@dataclass(frozen=True)
class Access:
    """One request.

    Attributes:
        caller: ARN of a role or user, a service such as 'bedrock.amazonaws.com', or ANYONE.
        action: such as 's3:GetObject'.
        resource: ARN.
        context: what policies may ask about: condition key → value or values. `aws:PrincipalArn`
            and `aws:PrincipalAccount` are known from the caller.
        account: that owns the resource; the caller's unless it is given.
    """

    caller: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""

    @property
    def known(self) -> dict[str, Any]:
        """The whole context."""
        own = {}
        if self.caller.startswith("arn:"):
            own = {"aws:PrincipalArn": self.caller, "aws:PrincipalAccount": _account(self.caller)}
        return own | dict(self.context)


@dataclass(frozen=True)
class Decision:
    """The answer, and what gave it.

    Attributes:
        allowed: whether the request would go through.
        why: ALLOWED, DENIED or NOT_ALLOWED.
        by: the statement that decided, its Sid or number; '' where none did.
    """

    allowed: bool
    why: str
    by: str = ""

    def __str__(self) -> str:
        return f"{self.why}{f' ({self.by})' if self.by else ''}"


def decide(access: Access, identity: Iterable[Mapping[str, Any]] = (),
           resource: Mapping[str, Any] | None = None,
           ceilings: Iterable[Mapping[str, Any]] = ()) -> Decision:
    """What AWS would decide.

    Args:
        access: the request.
        identity: policies of the caller.
        resource: the policy of what is asked for: of a bucket or key, or a role's trust policy.
        ceilings: policies that must allow, too, but give nothing: of an endpoint, a boundary.

    Raises:
        AwsError: a policy is none; `lint` says more.

    >>> read = {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}
    >>> ask = Access("arn:aws:iam::111122223333:role/R", "s3:GetObject", "arn:aws:s3:::data/a")
    >>> str(decide(ask, [read])), decide(ask).allowed
    ('allowed (1)', False)
    """
    mine = [found for policy in identity for found in _applying(policy, access)]
    theirs = _applying(resource, access, asks_who=True) if resource else []
    limits = [_applying(policy, access) for policy in ceilings]
    for found in (*mine, *theirs, *chain.from_iterable(limits)):
        if found.effect == "Deny":
            return Decision(False, DENIED, found.name)
    given = _granted(access, mine, theirs) if all(limits) else None
    return Decision(True, ALLOWED, given.name) if given else Decision(False, NOT_ALLOWED)


@dataclass(frozen=True)
class _Found:
    """A statement that speaks of the request; `direct` where it names the caller, not only the
    account that the caller is in."""

    name: str
    effect: str
    direct: bool


def _granted(access: Access, mine: list[_Found], theirs: list[_Found]) -> _Found | None:
    """The Allow that counts, of the caller's and the resource's, if any does."""
    direct = next((found for found in theirs if found.direct), None)
    own, home = next(iter(mine), None), _account(access.caller)
    if home and access.account not in ("", home):  # both accounts must agree
        return own if theirs else None
    if access.action.lower().startswith(_MUST_ALLOW):
        return direct or (own if theirs else None)
    return own or direct


def statements(policy: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Statements of a document with their names: Sid, or number from 1.

    Raises:
        AwsError: it has none.
    """
    parts = policy.get("Statement") if isinstance(policy, Mapping) else None
    found = listed(parts) if parts is not None else []
    if parts is None or not all(map(_is_statement, found)):
        raise AwsError("This is no policy: it needs statements that say Allow or Deny of actions.",
                       where="Statement", fix="See what aws.lint says about it.")
    for i, part in enumerate(found, 1):
        yield str(part.get("Sid") or i), part


def _is_statement(part: Any) -> bool:
    """Whether it can be evaluated; one without actions would apply to all of them."""
    named = ("Action", "NotAction", "Resource", "NotResource")
    return (isinstance(part, Mapping) and part.get("Effect") in ("Allow", "Deny")
            and ("Action" in part) != ("NotAction" in part)
            and isinstance(part.get("Condition") or {}, Mapping)
            and all(isinstance(one, str) for name in named for one in listed(part.get(name, []))))


def _applying(policy: Mapping[str, Any], access: Access, asks_who: bool = False) -> list[_Found]:
    """Statements that speak of a request.

    Args:
        asks_who: whether one that names no caller means nobody, as in the policy of a resource;
            else it means whoever has the policy.
    """
    found = []
    for name, part in statements(policy):
        named = "Principal" in part or "NotPrincipal" in part
        if (_names_action(part, access) and _names_resource(part, access)
                and (_names_caller(part, access) if named else not asks_who)
                and holds(part.get("Condition") or {}, access.known)):
            found.append(_Found(name, part["Effect"], not _only_account(part, access)))
    return found


def _names_action(part: Mapping[str, Any], access: Access) -> bool:
    """Actions are compared without case, as AWS does."""
    named = part.get("Action", part.get("NotAction", []))
    found = any(glob(one, access.action, ignore_case=True) for one in listed(named))
    return found == ("Action" in part)


def _names_resource(part: Mapping[str, Any], access: Access) -> bool:
    if "Resource" not in part and "NotResource" not in part:
        return True  # a trust policy: the resource is its role
    known = normal(access.known)
    named = [filled(one, known) for one in listed(part.get("Resource", part.get("NotResource")))]
    found = any(one is not None and like(one, access.resource) for one in named)
    return found == ("Resource" in part)


def _names_caller(part: Mapping[str, Any], access: Access) -> bool:
    key = "Principal" if "Principal" in part else "NotPrincipal"
    return _is_among(part.get(key, {}), access) == (key == "Principal")


def _is_among(named: Any, access: Access) -> bool:
    if named == "*":
        return True
    if not isinstance(named, Mapping):
        return False
    for kind, callers in named.items():
        for one in listed(callers):
            if one == "*" and kind == "AWS":
                return True
            if one == access.caller or (kind == "AWS" and _is_account(one, access.caller)):
                return True
    return False


def _is_account(named: Any, caller: str) -> bool:
    """Whether an account is named, by number or ARN, and the caller is in it."""
    named = str(named)
    account = named.split(":")[4] if named.endswith(":root") and named.count(":") == 5 else named
    return bool(caller) and account == _account(caller)


def _only_account(part: Mapping[str, Any], access: Access) -> bool:
    """Whether a statement names the caller's account rather than the caller.

    That lets the account's own policies decide; alone it gives nothing.
    """
    named = part.get("Principal")
    if not isinstance(named, Mapping):
        return False
    callers = [one for some in named.values() for one in listed(some)]
    return access.caller not in callers and "*" not in callers


def _account(caller: str) -> str:
    return caller.split(":")[4] if caller.count(":") >= 5 else ""
