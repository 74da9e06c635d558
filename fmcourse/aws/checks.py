"""A whole request checked: its parameters, the policies inside it, a job's settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fmcourse.aws.findings import Finding
from fmcourse.aws.import_check import rules
from fmcourse.aws.jobs import ECR, in_ecr
from fmcourse.aws.lint import lint
from fmcourse.aws.models import bases, check_settings
from fmcourse.aws.requests import METHODS, Request
from fmcourse.aws.session import offline, service
from fmcourse.aws.shapes import check_parameters
from fmcourse.errors import AwsError, meant

POLICIES = {("s3", "PutBucketPolicy"): ("Policy", "bucket"),
            ("iam", "CreateRole"): ("AssumeRolePolicyDocument", "trust"),
            ("iam", "UpdateAssumeRolePolicy"): ("PolicyDocument", "trust"),
            ("iam", "PutRolePolicy"): ("PolicyDocument", "identity"),
            ("kms", "PutKeyPolicy"): ("Policy", "key"), ("kms", "CreateKey"): ("Policy", "key"),
            ("ec2", "ModifyVpcEndpoint"): ("PolicyDocument", "endpoint"),
            ("ec2", "CreateVpcEndpoint"): ("PolicyDocument", "endpoint")}
_NEEDS = {"DISTILLATION": "distillationConfig", "REINFORCEMENT_FINE_TUNING": "rftConfig"}


def check(request: Request) -> list[Finding]:
    """Everything that AWS would have against a request, as far as can be told without asking it.

    Raises:
        AwsError: there is no such service or operation.
    """
    if request.service not in offline().get_available_services():
        raise AwsError(f"botocore knows no service {request.service!r}.", where="Request.service",
                       fix=meant(request.service, offline().get_available_services()))
    known = service(request.service).operation_names
    if request.operation not in known:
        raise AwsError(f"{request.service} has no operation {request.operation!r}.",
                       where="Request.operation", fix=meant(request.operation, known))
    found = check_parameters(request.service, request.operation, request.parameters)
    name, kind = POLICIES.get((request.service, request.operation), ("", ""))
    text = request.parameters.get(name)
    if isinstance(text, str):
        found += [replace(one, where=f"{name}: {one.where}") for one in lint(text, kind)]
    if request.operation == "CreateModelCustomizationJob":
        found += _job(request)
    if request.operation == "CreateTrainingJob":
        found += _training(request)
    if request.operation == "CreateModelImportJob" and request.region not in rules()["regions"]:
        found.append(Finding("region", "page", f"Nothing is imported in {request.region}.",
                             f"Use {' or '.join(rules()['regions'])}."))
    return found


def _training(request: Request) -> Iterator[Finding]:
    """A container has to come from Amazon ECR, unless the job says how it signs in elsewhere."""
    code = request.parameters.get("AlgorithmSpecification")
    image = code.get("TrainingImage") if isinstance(code, dict) else None
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmSpecification.html
    if isinstance(image, str) and "TrainingImageConfig" not in code and in_ecr(image) is None:
        yield Finding("AlgorithmSpecification.TrainingImage", "page",
                      f"{image!r:.80} is no image in Amazon ECR.", ECR)


def _job(request: Request) -> Iterator[Finding]:
    """What a customization job needs by AWS's pages, though its API model does not say so."""
    parameters = request.parameters
    data = parameters.get("trainingDataConfig")
    if data == {}:
        yield Finding("trainingDataConfig", "page", "It names no data.", "Add s3Uri.")
    wanted = _NEEDS.get(str(parameters.get("customizationType")))
    config = parameters.get("customizationConfig")
    config = config if isinstance(config, dict) else {}
    if wanted and wanted not in config:
        yield Finding("customizationConfig", "page", f"This method needs {wanted}.", "Add it.")
    tried = config.get("rftConfig")
    # https://docs.aws.amazon.com/bedrock/latest/userguide/rft-nova-models.html
    if isinstance(tried, dict) and "graderConfig" not in tried:
        yield Finding("customizationConfig.rftConfig", "page", "It names no grader.",
                      "Add graderConfig.")
    model = next((name for name, one in bases().items()
                  if str(parameters.get("baseModelIdentifier", "")).endswith(one.id)), None)
    if model:
        yield from _of_model(request, model)


def _of_model(request: Request, name: str) -> Iterator[Finding]:
    """What the model of a job does not take: region, method, settings."""
    model, given = bases()[name], request.parameters.get("hyperParameters")
    if request.region not in model.regions:
        yield Finding("region", "page", f"{name} is not customized in {request.region}.",
                      f"Use {' or '.join(model.regions)}.")
    method = request.parameters.get("customizationType")
    if method == METHODS["reinforcement"] and not model.reinforced:
        able = " or ".join(one for one, other in bases().items() if other.reinforced)
        yield Finding("baseModelIdentifier", "page",
                      f"{name} is not fine-tuned by reinforcement through this request.",
                      f"Choose {able}.")
    for key, value in given.items() if isinstance(given, dict) else ():
        try:
            check_settings(name, {key: value})
        except AwsError as error:
            yield Finding(f"hyperParameters.{key}", "setting", error.what, error.fix or "")
