"""Policy documents for a project: who may do what, written for its names.

Four kinds of document decide together. A role's trust policy says who may take the role on, its
permission policy what it may then do; the bucket's and the key's own policies say whom they let in,
whatever their roles may do; the endpoint's, what may pass through it. They follow AWS's pages
`custom-model-job-access-security`, `encryption-custom-job` and `vpc-s3` of the Bedrock user guide,
narrowed to prefixes of one bucket. As there, the role may also read and list what it writes.

Trade-off: the bucket's policy keeps everybody but three roles from the objects, and leaves its
settings to the account's administrators: a policy that denies those can lock everyone out.
"""

from __future__ import annotations

from typing import Any

from fmcourse.aws.project import Project

Policy = dict[str, Any]
VERSION = "2012-10-17"
OBJECT_ACTIONS = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject",
                  "s3:DeleteObjectVersion"]
JOBS = {"model-customization-job": ("bedrock", "BedrockForOurJobs"),  # job → service, statement
        "model-import-job": ("bedrock", "BedrockForOurImports"),
        "training-job": ("sagemaker", "SageMakerForOurJobs")}
KEY_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]


def policy(*statements: dict[str, Any]) -> Policy:
    """Statements as a document."""
    return {"Version": VERSION, "Statement": list(statements)}


def statement(sid: str, actions: list[str], resources: list[str] | str | None = None,
              condition: dict[str, Any] | None = None, principal: Any = None,
              effect: str = "Allow") -> dict[str, Any]:
    """One statement; what it does without is left out."""
    parts = {"Sid": sid, "Effect": effect, "Principal": principal, "Action": actions,
             "Resource": resources, "Condition": condition}
    return {name: part for name, part in parts.items() if part is not None}


def trust_policy(project: Project, *more: str) -> Policy:
    """Who may take on the training role: Bedrock alone, and only for this account's jobs.

    Without the condition, Bedrock could be made to use the role for somebody else's job: the
    confused deputy.

    Args:
        more: kinds of jobs, of `JOBS`, that may take it on besides customization jobs.
    """
    return policy(*(statement(
        name, ["sts:AssumeRole"], principal={"Service": f"{service}.amazonaws.com"},
        condition={"StringEquals": {"aws:SourceAccount": project.account},
                   "ArnLike": {"aws:SourceArn": project.arn(service, f"{job}/*")}})
        for job, (service, name) in JOBS.items() if job in ("model-customization-job", *more)))


def people_policy(project: Project) -> Policy:
    """Who may take on a person's role: whoever the account's administrators allow."""
    return policy(statement(
        "PeopleOfTheAccount", ["sts:AssumeRole"],
        principal={"AWS": project.account_arn}))


def role_policy(project: Project, teacher: str | None = None, grader: str | None = None) -> Policy:
    """What the training role may do: read training data, write results, use the key and network.

    Args:
        teacher: ARN of the model or profile that a distillation asks.
        grader: ARN of the Lambda function that scores replies in reinforcement fine-tuning.
    """
    parts = [
        _listing(project, project.training, project.output),
        statement("ReadTraining", ["s3:GetObject"], project.objects(project.training)),
        statement("WriteOutput", ["s3:GetObject", "s3:PutObject"], project.objects(project.output)),
        *_key_use(project, "bedrock", "s3"), *_network(project)]
    if teacher:
        parts.append(statement("AskTeacher", ["bedrock:InvokeModel"], teacher))
    if grader:
        parts.append(statement("AskGrader", ["lambda:InvokeFunction"], grader))
    return policy(*parts)


def engineer_policy(project: Project) -> Policy:
    """What a data engineer may do: keep the training data, and start jobs with the training role.

    `iam:PassRole` names that role and Bedrock: whoever may pass any role to any service can get the
    rights of the most powerful one.
    """
    return policy(
        _listing(project, project.training),
        statement("KeepTraining", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                  project.objects(project.training)),
        statement("StartJobs", ["bedrock:CreateModelCustomizationJob"], [
            f"arn:{project.partition}:bedrock:{project.region}::foundation-model/*",
            project.jobs_arn, project.arn("bedrock", "custom-model/*")]),
        statement("PassTrainingRole", ["iam:PassRole"], project.role_arn(),
                  {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}),
        *_key_use(project, "s3"))


def auditor_policy(project: Project) -> Policy:
    """What an auditor may do: see names and settings, never a record."""
    return policy(
        statement("SeeNames", ["s3:ListBucket"], project.bucket_arn),
        statement("SeeSettings", [
            "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration",
            "s3:GetBucketVersioning"], project.bucket_arn))


def bucket_policy(project: Project) -> Policy:
    """What the bucket refuses, whatever a role may do: every statement is a Deny."""
    everything = [project.bucket_arn, f"{project.bucket_arn}/*"]
    roles = [project.role_arn(name) for name in project.roles]
    parts = [
        statement("OnlyEncryptedTransport", ["s3:*"], everything, principal="*", effect="Deny",
                  condition={"Bool": {"aws:SecureTransport": "false"}}),
        statement("OnlyOurRoles", OBJECT_ACTIONS, f"{project.bucket_arn}/*", principal="*",
                  effect="Deny", condition={"ArnNotLike": {"aws:PrincipalArn": roles}})]
    if project.network:
        parts.append(statement(
            "TrainingOnlyThroughTheEndpoint", ["s3:*"], everything, effect="Deny",
            principal={"AWS": project.role_arn()},
            condition={"StringNotEquals": {"aws:SourceVpce": project.network.endpoint}}))
    if project.key:  # one who names no key gets the bucket's; without Null they would be denied
        named = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        parts.append(statement(
            "OnlyOurKey", ["s3:PutObject"], f"{project.bucket_arn}/*", principal="*",
            effect="Deny", condition={"ArnNotEquals": {named: project.key_arn},
                                      "Null": {named: "false"}}))
    return policy(*parts)


def key_policy(project: Project) -> Policy:
    """Who may use the key: the training role through Bedrock and S3, the engineer through S3.

    In a key's policy `*` is the key itself. The first statement keeps the key manageable: it lets
    the account's own policies decide, and a key without it may be lost to everyone.
    """
    def use(sid: str, role: str, actions: list[str], *services: str) -> dict[str, Any]:
        return statement(sid, actions, "*", principal={"AWS": project.role_arn(role)},
                         condition=_via(project, *services))

    return policy(
        statement("AccountManages", ["kms:*"], "*", principal={
            "AWS": project.account_arn}),
        use("TrainingUses", project.role, KEY_ACTIONS, "bedrock", "s3"),
        use("BedrockKeepsUsing", project.role, ["kms:CreateGrant"], "bedrock"),
        use("EngineerUses", project.engineer, KEY_ACTIONS, "s3"))


def endpoint_policy(project: Project) -> Policy:
    """What may pass through the network's S3 endpoint: the training role, to this bucket."""
    return policy(statement(
        "TrainingToThisBucket", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        [project.bucket_arn, f"{project.bucket_arn}/*"], principal="*",
        condition={"ArnLike": {"aws:PrincipalArn": project.role_arn()}}))


def all_powerful() -> Policy:
    """The one role that is shared because it always works; a control, never an example."""
    return policy(statement("Everything", ["*"], "*"))


def _listing(project: Project, *prefixes: str) -> dict[str, Any]:
    """Listing is a right on the bucket, not on its objects; the prefix is a condition."""
    return statement("ListPrefixes", ["s3:ListBucket"], project.bucket_arn, {
        "StringLike": {"s3:prefix": [each for prefix in prefixes
                                     for each in (prefix, f"{prefix}/*")]}})


def _via(project: Project, *services: str) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": [project.host(one) for one in services]}}


def _key_use(project: Project, *services: str) -> list[dict[str, Any]]:
    """Use of the key, through services alone; grants are for Bedrock."""
    if not project.key_arn:
        return []
    parts = [statement("UseKey", KEY_ACTIONS, project.key_arn, _via(project, *services))]
    if "bedrock" in services:
        parts.append(statement("LendKey", ["kms:CreateGrant"], project.key_arn,
                               _via(project, "bedrock")))
    return parts


def _network(project: Project) -> list[dict[str, Any]]:
    """Bedrock puts a network interface into the subnets for the time of a job."""
    if not project.network:
        return []
    subnets = [project.arn("ec2", f"subnet/{one}") for one in project.network.subnets]
    groups = [project.arn("ec2", f"security-group/{one}")
              for one in project.network.security_groups]
    interfaces, job = project.arn("ec2", "network-interface/*"), "BedrockModelCustomizationJobArn"
    return [
        statement("SeeNetwork", [
            "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
            "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"], "*"),
        statement("MakeInterface", ["ec2:CreateNetworkInterface"], interfaces, {
            "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
            "ArnEquals": {f"aws:RequestTag/{job}": project.jobs_arn}}),
        statement("InTheseSubnets", ["ec2:CreateNetworkInterface"], [*subnets, *groups]),
        statement("KeepInterface", [
            "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission"], "*", {
            "ArnEquals": {"ec2:Subnet": subnets, f"ec2:ResourceTag/{job}": project.jobs_arn},
            "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"}}),
        statement("TagInterface", ["ec2:CreateTags"], interfaces, {
            "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", job]}})]
