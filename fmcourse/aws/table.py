"""Who may do what: a table of requests that must go through and that must not.

Each row is asked twice: of `decide`, which evaluates every policy of the project as AWS would, and
of the local store, which enforces the roles' own policies on a real S3 interface. Where the store
cannot judge (conditions, keys, other services), its column is empty and `beyond` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmcourse.aws import policies
from fmcourse.aws.decide import ANYONE, Access, Decision, decide
from fmcourse.aws.local import ALLOWED, STRANGER, Store, local
from fmcourse.aws.project import Project

if TYPE_CHECKING:
    import pandas as pd

TRAINING, ENGINEER, AUDITOR, OUTSIDER, NOBODY = (
    "training role", "data engineer", "auditor", "stranger", "anonymous")
CONDITION, ELSEWHERE, MISNAMED = ("needs a condition", "is not S3", "is judged as ListBucket")
_BEDROCK = "bedrock.amazonaws.com"
OBJECT_CALLS = {"s3:GetObject": "get_object", "s3:PutObject": "put_object",
                "s3:DeleteObject": "delete_object"}


@dataclass(frozen=True)
class Case:
    """A request with the answer that it should get.

    Attributes:
        who: in words.
        access: the request.
        expected: whether it should go through.
        on: what it is for, in words.
        call: operation and parameters that try it on the store; None where the store can't judge.
        beyond: why it can't.
    """

    who: str
    access: Access
    expected: bool
    on: str
    call: tuple[str, Mapping[str, Any]] | None = None
    beyond: str = ""


def cases(project: Project) -> list[Case]:
    """The requests that a project's documents are judged by."""
    return [*_objects(project), *_settings(project), *_conditions(project), *_elsewhere(project)]


def allow_deny_table(project: Project, shared: bool = False) -> pd.DataFrame:
    """Every case, with what is expected, what the evaluator says and what the store does.

    Args:
        project: whose documents; a store is started that runs with them.
        shared: the control: the team with the rights of one role that may do everything, and
            no other documents than AWS makes by itself.

    Returns:
        Columns who, action, on, expected, evaluator, why, store, beyond; answers are 'allow' or
        'deny'.
    """
    import pandas as pd

    may = dict.fromkeys(project.roles, policies.all_powerful()) if shared else None
    with local(project, may) as store:
        return pd.DataFrame([_row(case, store, shared) for case in cases(store.project)])


def _row(case: Case, store: Store, shared: bool) -> dict[str, Any]:
    """A case, judged and, where the store can be asked, tried."""
    found, tried = judge(store.project, case.access, shared), None
    if case.call:
        role = case.access.caller.rpartition("/")[2] or None
        tried = _word(store.attempt(role, case.call[0], **case.call[1]) == ALLOWED)
    return {"who": case.who, "action": case.access.action, "on": case.on,
            "expected": _word(case.expected), "evaluator": _word(found.allowed),
            "why": str(found), "store": tried, "beyond": case.beyond}


def judge(project: Project, access: Access, shared: bool = False) -> Decision:
    """What AWS would answer, by all of a project's documents that have a say.

    Args:
        shared: by the control's documents; see `allow_deny_table`.
    """
    rights = {project.role_arn(): policies.role_policy(project),
              project.role_arn(project.engineer): policies.engineer_policy(project),
              project.role_arn(project.auditor): policies.auditor_policy(project)}
    own = [rights[access.caller]] if access.caller in rights else []
    service = access.action.partition(":")[0]
    guard = {"s3": policies.bucket_policy, "kms": policies.key_policy,
             "sts": policies.trust_policy}.get(service)
    theirs = guard(project) if guard else None
    if service == "s3" and not access.resource.startswith(project.bucket_arn):
        theirs = None
    through = bool(project.network and access.known.get("aws:SourceVpce"))
    ceilings = [policies.endpoint_policy(project)] if service == "s3" and through else []
    if shared:
        own, ceilings = [policies.all_powerful()] if own else [], []
        if service == "s3":
            theirs = None
        elif theirs:  # a key's policy as it comes, a trust policy without its condition
            theirs = policies.policy({name: part for name, part in theirs["Statement"][0].items()
                                      if name != "Condition"})
    return decide(access, own, theirs, ceilings)


def _word(allowed: bool) -> str:
    return "allow" if allowed else "deny"


def _caller(project: Project, who: str) -> str:
    role = {TRAINING: project.role, ENGINEER: project.engineer, AUDITOR: project.auditor,
            OUTSIDER: STRANGER}.get(who)
    return project.role_arn(role) if role else ANYONE


def _context(project: Project, who: str, **more: Any) -> dict[str, Any]:
    """What AWS would know: over TLS, and the training role through the endpoint."""
    known: dict[str, Any] = {"aws:SecureTransport": True}
    if who == TRAINING and project.network:
        known["aws:SourceVpce"] = project.network.endpoint
    return known | more


def _object(project: Project, who: str, action: str, key: str, expected: bool) -> Case:
    access = Access(_caller(project, who), action, f"{project.bucket_arn}/{key}",
                    _context(project, who))
    body = {"Body": b"{}"} if action == "s3:PutObject" else {}
    return Case(who, access, expected, key, (OBJECT_CALLS[action], {"Key": key, **body}))


def _objects(project: Project) -> Iterator[Case]:
    """Objects under the two prefixes, and under another."""
    data, result = f"{project.training}/train.jsonl", f"{project.output}/metrics.csv"
    private = "private/salaries.csv"
    get, put, delete = OBJECT_CALLS
    for who, action, key, expected in (
            (TRAINING, get, data, True), (TRAINING, put, result, True),
            (TRAINING, put, data, False), (TRAINING, delete, result, False),
            (TRAINING, delete, data, False), (TRAINING, get, private, False),
            (ENGINEER, get, data, True), (ENGINEER, put, data, True),
            (ENGINEER, put, result, False), (ENGINEER, get, private, False),
            (AUDITOR, get, data, False), (AUDITOR, put, data, False),
            (AUDITOR, delete, data, False), (OUTSIDER, get, data, False),
            (OUTSIDER, put, data, False), (NOBODY, get, data, False),
            (ENGINEER, delete, data, True)):
        yield _object(project, who, action, key, expected)
    foreign = f"arn:{project.partition}:s3:::another-teams-bucket/{data}"
    yield Case(TRAINING, Access(_caller(project, TRAINING), get, foreign,
                                _context(project, TRAINING)), False, "another bucket",
               ("get_object", {"Bucket": "another-teams-bucket", "Key": data}))


def _settings(project: Project) -> Iterator[Case]:
    """The bucket itself: its list of names, its policy, its encryption."""
    listing = ("list_objects_v2", {"Prefix": f"{project.training}/"})
    for who, action, expected, call in (
            (TRAINING, "s3:ListBucket", True, listing), (ENGINEER, "s3:ListBucket", True, listing),
            (AUDITOR, "s3:ListBucket", True, listing), (OUTSIDER, "s3:ListBucket", False, listing),
            (AUDITOR, "s3:GetBucketPolicy", True, ("get_bucket_policy", {})),
            (TRAINING, "s3:GetBucketPolicy", False, ("get_bucket_policy", {})),
            (TRAINING, "s3:DeleteBucketPolicy", False, ("delete_bucket_policy", {})),
            (ENGINEER, "s3:DeleteBucketPolicy", False, ("delete_bucket_policy", {})),
            (AUDITOR, "s3:DeleteBucketPolicy", False, ("delete_bucket_policy", {})),
            (AUDITOR, "s3:GetEncryptionConfiguration", True, None),
            (TRAINING, "s3:GetEncryptionConfiguration", False, None)):
        more = {"s3:prefix": f"{project.training}/"} if call == listing else {}
        yield Case(who, Access(_caller(project, who), action, project.bucket_arn,
                               _context(project, who, **more)), expected,
                   f"names under {project.training}/" if more else "the bucket's settings", call,
                   "" if call else MISNAMED)


def _conditions(project: Project) -> Iterator[Case]:
    """The same requests in other circumstances."""
    data = f"{project.bucket_arn}/{project.training}/train.jsonl"
    training, engineer = _caller(project, TRAINING), _caller(project, ENGINEER)
    for who, prefix in ((TRAINING, "private/"), (ENGINEER, f"{project.output}/")):
        yield Case(who, Access(_caller(project, who), "s3:ListBucket", project.bucket_arn,
                               _context(project, who, **{"s3:prefix": prefix})),
                   False, f"names under {prefix}", None, CONDITION)
    plain = {"aws:SecureTransport": False}
    yield Case(ENGINEER, Access(engineer, "s3:GetObject", data, plain), False, "without TLS", None,
               CONDITION)
    if project.network:
        yield Case(TRAINING, Access(training, "s3:GetObject", data, {"aws:SecureTransport": True}),
                   False, "past the VPC endpoint", None, CONDITION)
    if project.key_arn:
        wrong = _context(project, ENGINEER, **{
            "s3:x-amz-server-side-encryption-aws-kms-key-id": project.arn("kms", "key/another")})
        yield Case(ENGINEER, Access(engineer, "s3:PutObject", data, wrong), False,
                   "with another key", None, CONDITION)


def _elsewhere(project: Project) -> Iterator[Case]:
    """Keys, roles and jobs: other services than S3."""
    ours = {"aws:SourceAccount": project.account,
            "aws:SourceArn": project.arn("bedrock", "model-customization-job/a")}
    theirs = {"aws:SourceAccount": "444455556666", "aws:SourceArn": ours["aws:SourceArn"].replace(
        project.account, "444455556666")}
    to_bedrock = {"iam:PassedToService": _BEDROCK}
    found: list[tuple[str, str, str, str, dict[str, Any], bool, str]] = [
        ("Bedrock", _BEDROCK, "sts:AssumeRole", project.role_arn(), ours, True, "for our job"),
        ("Bedrock", _BEDROCK, "sts:AssumeRole", project.role_arn(), theirs, False,
         "for somebody else's job")]
    for who, expected in ((ENGINEER, True), (AUDITOR, False)):
        found += [(who, _caller(project, who), "bedrock:CreateModelCustomizationJob",
                   project.arn("bedrock", "custom-model/a"), {}, expected, "a job")]
    for role, expected in ((project.role, True), ("Administrator", False)):
        found += [(ENGINEER, _caller(project, ENGINEER), "iam:PassRole", project.role_arn(role),
                   to_bedrock, expected, f"the role {role}")]
    if project.key_arn:
        for who, via, expected, on in (
                (TRAINING, project.host("s3"), True, "the key, through S3"),
                (TRAINING, None, False, "the key, directly"),
                (AUDITOR, project.host("s3"), False, "the key, through S3")):
            found += [(who, _caller(project, who), "kms:Decrypt", project.key_arn,
                       {"kms:ViaService": via}, expected, on)]
    for who, caller, action, resource, context, expected, on in found:
        yield Case(who, Access(caller, action, resource, context), expected, on, None, ELSEWHERE)
