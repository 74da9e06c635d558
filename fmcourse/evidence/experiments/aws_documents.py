"""G6: documents for AWS as they are generated, and with one part missing or misspelt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from fmcourse import aws, store
from fmcourse.aws import checks, session
from fmcourse.evidence.experiments.least_privilege import example
from fmcourse.evidence.experiments.shared import Outcome

ACCEPTED, FOUND = "share accepted", "faults found"
GENERATED, FAULTY = "as generated", "one part missing or misspelt"
ALL, BOTOCORE = "all checks", "botocore alone"
GRADER = "arn:aws:lambda:us-east-1:111122223333:function:grade"


def aws_documents(seed: int, names: Sequence[str] | None = None) -> Outcome:
    """Requests that set a project up and start its jobs, accepted or not; the same with one fault.

    A fault is a required part that is missing, or a name, an allowed value or the beginning of an
    identifier that is misspelt; in the parameters, or in a policy inside them. What botocore alone
    finds tells what the other checks are worth. Nothing here is left to chance.

    Args:
        names: of the models whose jobs are made; by default all.
    """
    made = requests(example(), names)
    faulty = [(kind, broken) for request in made for kind, broken in faults(request)]
    good = [not aws.check(request) for request in made]
    found = [bool(aws.check(broken)) for _, broken in faulty]
    alone = [refused_by_botocore(broken) for _, broken in faulty]
    missed = Counter(kind for (kind, _), there in zip(faulty, found, strict=True) if not there)
    arms = {GENERATED: {ACCEPTED: _share(good)},
            FAULTY: {ACCEPTED: 1 - _share(found)},
            ALL: {FOUND: _share(found)}, BOTOCORE: {FOUND: _share(alone)}}
    return Outcome(arms, {"requests": store.sha256_json([one.as_dict() for one in made])}, {
        "requests": len(made), "faults": dict(Counter(kind for kind, _ in faulty)),
        "missed": dict(missed)})


def requests(project: aws.Project, names: Sequence[str] | None = None) -> list[aws.Request]:
    """Everything that is generated: setting up with and without key and network, and every job."""
    bare = replace(project, key=None, network=None)
    west = replace(project, region="us-west-2")
    jobs = []
    for name in names or aws.bases():
        base = aws.bases()[name]
        home = project if project.region in base.regions else west
        jobs.append(aws.customization_job(home, name, validation="validation.jsonl", settings={
            key: limit["default"] for key, limit in aws.settings(name).items()}))
        jobs += [aws.customization_job(home, name, "distillation", teacher=teacher)
                 for teacher in base.teachers]
        if base.reinforced:
            jobs.append(aws.customization_job(home, name, "reinforcement", grader=GRADER,
                                              settings={"epochCount": 2, "batchSize": 64}))
    return [*aws.setting_up(project), *aws.setting_up(bare), *aws.setting_up(west), *jobs]


def faults(request: aws.Request) -> Iterator[tuple[str, aws.Request]]:
    """A request with one fault, each in turn, and the kind of the fault."""
    shape = session.operation(request.operation, request.service).input_shape
    policy, _ = checks.POLICIES.get((request.service, request.operation), ("", ""))
    for kind, broken in _parameters(shape, request.parameters):
        yield kind, replace(request, parameters=broken)
    if policy:
        for kind, document in _policy(json.loads(request.parameters[policy])):
            yield kind, request.with_parameters(**{policy: json.dumps(document)})


def _parameters(shape: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """A value of the API with one fault, by its own model."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, one in value.items():
            rest = {key: part for key, part in value.items() if key != name}
            yield "name misspelt", {**rest, name[:-1]: one}
            if name in shape.required_members:
                yield "part missing", rest
            for kind, broken in _parameters(shape.members[name], one):
                yield kind, {**value, name: broken}
    elif shape.type_name == "list":
        for i, one in enumerate(value):
            for kind, broken in _parameters(shape.member, one):
                yield kind, [*value[:i], broken, *value[i + 1:]]
    elif shape.type_name == "string" and (shape.enum or value.startswith(("arn:", "s3:"))):
        yield "value misspelt", value[:-1] if shape.enum else value.replace(":", ";", 1)


def _policy(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A policy with one fault."""
    for name in ("Version", "Statement"):
        yield "policy: part missing", {key: part for key, part in document.items() if key != name}
    for i, part in enumerate(document["Statement"]):
        for kind, broken in _statement(part):
            some = [*document["Statement"][:i], broken, *document["Statement"][i + 1:]]
            yield f"policy: {kind}", {**document, "Statement": some}


def _statement(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in part.items():
        rest = {key: one for key, one in part.items() if key != name}
        yield "name misspelt", {**rest, name[:-1]: value}
        if name not in ("Sid", "Condition"):
            yield "part missing", rest
    for i, action in enumerate(part["Action"]):
        if not action.endswith("*"):
            yield "action misspelt", {**part, "Action": [*part["Action"][:i], action[:-1],
                                                         *part["Action"][i + 1:]]}
    if str(part.get("Resource", "")).startswith("arn:"):
        yield "identifier misspelt", {**part, "Resource": part["Resource"].replace(":", ";", 1)}
    for operator, wanted in part.get("Condition", {}).items():
        others = {key: one for key, one in part["Condition"].items() if key != operator}
        yield "operator misspelt", {**part, "Condition": {**others, operator[:-1]: wanted}}
        for key in wanted:
            rest = {name: one for name, one in wanted.items() if name != key}
            head, slash, tag = key.partition("/")
            yield "key misspelt", {**part, "Condition": {
                **part["Condition"], operator: {**rest, f"{head[:-1]}{slash}{tag}": wanted[key]}}}


def refused_by_botocore(request: aws.Request) -> bool:
    """By botocore's own validator, which a client has anyway."""
    from botocore.validate import ParamValidator

    shape = session.operation(request.operation, request.service).input_shape
    return ParamValidator().validate(request.parameters, shape).has_errors()


def _share(some: list[bool]) -> float:
    return sum(some) / len(some)
