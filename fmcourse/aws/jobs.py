"""Requests for the two ways past managed fine-tuning: a training job of your own, and an import.

Bedrock customizes its own models and keeps the result. SageMaker AI runs any container on machines
of your choice: the course's own commands, with the recipe that was tried here. What comes out, or
out of `ship.export`, is brought to Bedrock by an import job. See `requests.customization_job` for
the managed way, and `plan` for all of them from one run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from fmcourse.aws import policies
from fmcourse.aws.import_check import rules
from fmcourse.aws.project import Project
from fmcourse.aws.requests import Request, vpc_config
from fmcourse.errors import AwsError

INPUT, MODEL = "/opt/ml/input/data", "/opt/ml/model"  # SageMaker's places inside a container
CHANNEL, HOUR = "training", 3600
ECR = "Push it there, and give ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG."
_IMAGE = re.compile(  # docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z]{2,}(-[a-z]+)+-\d)"
    r"\.amazonaws\.com(\.cn)?/(?P<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)"
    r"(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})?", re.ASCII)


def in_ecr(image: str) -> dict[str, str] | None:
    """Account, region and repository of an image in Amazon ECR; None for one that is elsewhere.

    >>> in_ecr("111122223333.dkr.ecr.us-east-1.amazonaws.com/team/fmcourse:1")["repository"]
    'team/fmcourse'
    """
    found = _IMAGE.fullmatch(image)
    return found.groupdict() if found else None


def import_job(project: Project, prefix: str = "model") -> Request:
    """The request that imports a folder of the bucket into Bedrock.

    Args:
        project: its names; the role must be one that imports, too: see `job_role`.
        prefix: of the folder, below the project's output.

    Raises:
        AwsError: nothing is imported in the project's region.

    >>> import_job(Project("111122223333", "my-team-data")).parameters["modelDataSource"]
    {'s3DataSource': {'s3Uri': 's3://my-team-data/output/model/'}}
    """
    if project.region not in rules()["regions"]:
        raise AwsError(f"Nothing is imported in {project.region}.", where="Project.region",
                       fix=f"Use {' or '.join(rules()['regions'])}.")
    parameters = {
        "jobName": f"{project.name}-import", "importedModelName": f"{project.name}-imported",
        "roleArn": project.role_arn(),
        "modelDataSource": {"s3DataSource": {"s3Uri": f"{project.output_uri}{prefix}/"}}}
    if project.key_arn:
        parameters["importedModelKmsKeyId"] = project.key_arn
    if project.network:
        parameters["vpcConfig"] = vpc_config(project)
    return Request("bedrock", "CreateModelImportJob", project.region, parameters)


def training_job(project: Project, image: str, arguments: Sequence[str], *,
                 instance: str = "ml.g5.xlarge", hours: float = 4) -> Request:
    """The request that runs `fmcourse` in a container of yours on SageMaker AI.

    Data are read from the project's training prefix, and found in /opt/ml/input/data/training; what
    is left in /opt/ml/model is packed and kept under its output. The container reaches no network.

    Args:
        image: in Amazon ECR, with the course installed.
        arguments: of `fmcourse`, such as ("train", "instruct", "--data", …).
        instance: type of the machine; the API model lists all that there are.
        hours: after which the job is stopped, whatever it costs by then.
    """
    output = {"S3OutputPath": project.output_uri}
    machine = {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 50}
    if project.key_arn:
        output["KmsKeyId"] = project.key_arn
    parameters = {
        "TrainingJobName": f"{project.name}-training", "RoleArn": project.role_arn(),
        "AlgorithmSpecification": {
            "TrainingImage": image, "TrainingInputMode": "File",
            "ContainerEntrypoint": ["fmcourse"], "ContainerArguments": list(arguments)},
        "InputDataConfig": [{"ChannelName": CHANNEL, "DataSource": {"S3DataSource": {
            "S3DataType": "S3Prefix", "S3Uri": project.training_uri,
            "S3DataDistributionType": "FullyReplicated"}}}],
        "OutputDataConfig": output, "ResourceConfig": machine,
        "StoppingCondition": {"MaxRuntimeInSeconds": round(hours * HOUR)},
        "EnableNetworkIsolation": True}
    if project.network:
        config = vpc_config(project)
        parameters["VpcConfig"] = {"Subnets": config["subnetIds"],
                                   "SecurityGroupIds": config["securityGroupIds"]}
    return Request("sagemaker", "CreateTrainingJob", project.region, parameters)


def job_role(project: Project, image: str) -> list[Request]:
    """What lets the training role do the two jobs here as well, after `setting_up`.

    SageMaker fetches the image and writes logs as that role; both need rights that Bedrock's own
    jobs do without.

    Raises:
        AwsError: the image is not in Amazon ECR.
    """
    found = in_ecr(image)
    if found is None:
        raise AwsError(f"{image!r} is no image in Amazon ECR.", where="image", fix=ECR)
    repository = (f"arn:{project.partition}:ecr:{found['region']}:{found['account']}:"
                  f"repository/{found['repository']}")
    logs = project.arn("logs", "log-group:/aws/sagemaker/TrainingJobs*")
    may = policies.policy(
        policies.statement("FetchImage", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
                                          "ecr:BatchCheckLayerAvailability"],
                           repository),
        policies.statement("SignIn", ["ecr:GetAuthorizationToken"], "*"),
        policies.statement("WriteLogs", ["logs:CreateLogGroup", "logs:CreateLogStream",
                                         "logs:PutLogEvents", "logs:DescribeLogStreams"], logs))
    trust = policies.trust_policy(project, "model-import-job", "training-job")
    to = Request("iam", "", project.region, {"RoleName": project.role})
    return [
        replace(to, operation="UpdateAssumeRolePolicy").with_parameters(
            PolicyDocument=json.dumps(trust)),
        replace(to, operation="PutRolePolicy").with_parameters(
            PolicyName="sagemaker", PolicyDocument=json.dumps(may))]
