"""Requests for a project, as botocore would send them: a customization job, and all it needs.

Only dictionaries are made here; `check` holds them against AWS's models, `local` sends them to a
store on this machine, and `submit` to AWS, once somebody really means it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fmcourse.aws import policies
from fmcourse.aws.models import Base, base, check_settings, teacher_arn
from fmcourse.aws.project import Project
from fmcourse.errors import AwsError, meant

METHODS = {"fine-tuning": "FINE_TUNING", "distillation": "DISTILLATION",
           "reinforcement": "REINFORCEMENT_FINE_TUNING"}


@dataclass(frozen=True)
class Request:
    """One call of an API.

    Attributes:
        service: as botocore names it, such as 'bedrock'.
        operation: such as 'CreateModelCustomizationJob'.
        region: where it goes.
        parameters: what it says; policies inside are JSON texts, as AWS wants them.
    """

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]

    def with_parameters(self, **changes: Any) -> Request:
        """The same with some parameters changed; None takes one out."""
        made = {**self.parameters, **changes}
        return replace(self, parameters={name: value for name, value in made.items()
                                         if value is not None})

    def as_dict(self) -> dict[str, Any]:
        """As a file would have it."""
        return asdict(self)

    def __str__(self) -> str:
        return (f"{self.service} {self.operation} in {self.region}\n"
                f"{json.dumps(self.parameters, indent=2, ensure_ascii=False)}")


def customization_job(project: Project, model: str, method: str = "fine-tuning", *,
                      training: str = "train.jsonl", validation: str | None = None,
                      settings: Mapping[str, float | str] | None = None,
                      teacher: str | None = None, grader: str | None = None) -> Request:
    """The request that starts a customization job.

    Args:
        project: its names.
        model: a name of `models.toml`, such as 'nova-lite': those of `data.limits`.
        method: 'fine-tuning', 'distillation' or 'reinforcement'.
        training, validation: files under the project's training prefix.
        settings: hyperparameters, held against the model's table.
        teacher: for distillation, whose replies are learned: such as 'nova-pro'.
        grader: for reinforcement, ARN of the Lambda function that scores replies.

    Raises:
        AwsError: a name, a setting or their combination that AWS does not take.

    >>> job = customization_job(Project("111122223333", "my-team-data"), "nova-micro")
    >>> job.parameters["baseModelIdentifier"]
    'amazon.nova-micro-v1:0:128k'
    """
    found = base(model)
    _fit_together(project, model, found, method, teacher, grader)
    parameters = {
        "jobName": f"{project.name}-{method}", "customModelName": project.name,
        "roleArn": project.role_arn(), "baseModelIdentifier": found.id,
        "customizationType": METHODS[method],
        "trainingDataConfig": {"s3Uri": f"{project.training_uri}{training}"},
        "outputDataConfig": {"s3Uri": project.output_uri}}
    if validation:
        parameters["validationDataConfig"] = {
            "validators": [{"s3Uri": f"{project.training_uri}{validation}"}]}
    if project.key_arn:
        parameters["customModelKmsKeyId"] = project.key_arn
    if project.network:
        parameters["vpcConfig"] = vpc_config(project)
    if method == "reinforcement":
        parameters["customizationConfig"] = {"rftConfig": {
            "graderConfig": {"lambdaGrader": {"lambdaArn": grader}},
            **({"hyperParameters": dict(settings)} if settings else {})}}
    elif settings:
        parameters["hyperParameters"] = check_settings(model, settings)
    if method == "distillation":
        parameters["customizationConfig"] = {"distillationConfig": {
            "teacherModelConfig": {"teacherModelIdentifier": teacher_arn(project, teacher)}}}
    return Request("bedrock", "CreateModelCustomizationJob", project.region, parameters)


def vpc_config(project: Project) -> dict[str, list[str]]:
    """Where a job's network interfaces are put.

    Raises:
        AwsError: the project has no network.
    """
    if project.network is None:
        raise AwsError("The project has no network.", where="Project.network",
                       fix="Give Project(..., network=Network(...)).")
    return {"subnetIds": list(project.network.subnets),
            "securityGroupIds": list(project.network.security_groups)}


def public_access_block() -> dict[str, bool]:
    """All four locks against a bucket's becoming public."""
    return dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                          "RestrictPublicBuckets"), True)


def encryption(project: Project) -> dict[str, Any]:
    """How new objects are encrypted: by the project's key, or by keys of S3's."""
    how = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": project.key_arn} if project.key_arn else {
        "SSEAlgorithm": "AES256"}
    rule = {"ApplyServerSideEncryptionByDefault": how}
    return {"Rules": [{**rule, "BucketKeyEnabled": True} if project.key_arn else rule]}


def setting_up(project: Project, teacher: str | None = None, grader: str | None = None
               ) -> list[Request]:
    """What makes the bucket, roles, key and endpoint that a project names, in order.

    A key's id and an endpoint's are known only once they were made: make those first, then the rest
    of a project that has them.

    Args:
        teacher, grader: ARNs that the training role may ask; see `policies.role_policy`.
    """
    def to(service: str, operation: str, **parameters: Any) -> Request:
        return Request(service, operation, project.region, parameters)

    bucket = {} if project.region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": project.region}}
    made = [
        to("s3", "CreateBucket", Bucket=project.bucket, **bucket),
        to("s3", "PutPublicAccessBlock", Bucket=project.bucket,
           PublicAccessBlockConfiguration=public_access_block()),
        to("s3", "PutBucketEncryption", Bucket=project.bucket,
           ServerSideEncryptionConfiguration=encryption(project)),
        to("s3", "PutBucketPolicy", Bucket=project.bucket,
           Policy=json.dumps(policies.bucket_policy(project)))]
    for role, trust, may in (
            (project.role, policies.trust_policy(project),
             policies.role_policy(project, teacher, grader)),
            (project.engineer, policies.people_policy(project), policies.engineer_policy(project)),
            (project.auditor, policies.people_policy(project), policies.auditor_policy(project))):
        made += [to("iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=json.dumps(trust)),
                 to("iam", "PutRolePolicy", RoleName=role, PolicyName="course",
                    PolicyDocument=json.dumps(may))]
    if project.key:
        made.append(to("kms", "PutKeyPolicy", KeyId=project.key, PolicyName="default",
                       Policy=json.dumps(policies.key_policy(project))))
    if project.network:
        made.append(to("ec2", "ModifyVpcEndpoint", VpcEndpointId=project.network.endpoint,
                       PolicyDocument=json.dumps(policies.endpoint_policy(project))))
    return made


def _fit_together(project: Project, model: str, found: Base, method: str, teacher: str | None,
                  grader: str | None) -> None:
    if method not in METHODS:
        raise AwsError(f"There is no method {method!r}.", where="customization_job",
                       fix=meant(str(method), METHODS))
    if project.region not in found.regions:
        raise AwsError(f"{model} is not customized in {project.region}.", where="Project.region",
                       fix=f"Use {' or '.join(found.regions)}: bucket and key, too.")
    if method == "reinforcement" and not found.reinforced:
        raise AwsError(f"{model} is not fine-tuned by reinforcement through this request.",
                       where="method", fix="Choose nova-2-lite.")
    if (method == "reinforcement") != (grader is not None):
        raise AwsError("Reinforcement needs a grader, and nothing else takes one.", where="grader",
                       fix="Give the ARN of a Lambda function with method='reinforcement'.")
    if (method == "distillation") != (teacher is not None):
        raise AwsError("Distillation needs a teacher, and nothing else takes one.",
                       where="teacher", fix="Give its name with method='distillation'.")
    if teacher and teacher not in found.teachers:
        raise AwsError(f"{model} cannot learn from {teacher}.", where="teacher",
                       fix=f"Choose {' or '.join(found.teachers)}." if found.teachers
                       else "Choose another model to customize.")
