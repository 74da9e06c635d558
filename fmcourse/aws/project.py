"""The names that a customization job needs: one frozen object, checked before anything is made.

Everything else in this room is a pure function of it. A name that is wrong here would otherwise be
refused by AWS hours later, or worse, be taken: a prefix with a `*` in it silently widens every
policy it is written into, so such names are no project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from fmcourse.aws.session import regions
from fmcourse.errors import AwsError, meant

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = "[0-9a-f]{8}([0-9a-f]{9})?"
_PREFIX = r"[0-9A-Za-z_!'()-]+(/[0-9A-Za-z_!'().-]+)*"
_ROLE = r"[\w+=,.@-]{1,64}"
_BUCKET_RULES = (  # docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    (lambda name: 3 <= len(name) <= 63, "has 3 to 63 characters"),
    (lambda name: re.fullmatch(r"[a-z0-9.-]*", name), "has lower-case letters, digits, . and -"),
    (lambda name: re.fullmatch(r"[a-z0-9](.*[a-z0-9])?", name), "begins and ends with a letter or "
                                                               "digit"),
    (lambda name: ".." not in name, "has no two dots in a row"),
    (lambda name: not re.fullmatch(r"\d+(\.\d+){3}", name), "is no IP address"),
    (lambda name: not name.startswith(("xn--", "sthree-", "amzn-s3-demo-")),
     "does not begin with xn--, sthree- or amzn-s3-demo-"),
    (lambda name: not name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")),
     "does not end in -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3"),
)


@dataclass(frozen=True)
class Network:
    """A virtual private cloud that a job's traffic stays in.

    Attributes:
        vpc: its id, vpc-….
        endpoint: id of its S3 gateway endpoint, vpce-….
        subnets, security_groups: ids; AWS takes up to 16 and 5.
    """

    vpc: str
    endpoint: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]

    def __post_init__(self) -> None:
        _fit("vpc", self.vpc, f"vpc-{_ID}", "vpc-0a1b2c3d")
        _fit("endpoint", self.endpoint, f"vpce-{_ID}", "vpce-0a1b2c3d")
        for name, kind, most in (("subnets", "subnet", 16), ("security_groups", "sg", 5)):
            ids = getattr(self, name)
            if isinstance(ids, str) or not 1 <= len(ids) <= most:
                raise AwsError(f"A job takes a list of 1 to {most} {name.replace('_', ' ')}.",
                               where=f"Network.{name}", fix=f'Give ("{kind}-0a1b2c3d",).')
            object.__setattr__(self, name, tuple(ids))
            for one in ids:
                _fit(name, one, f"{kind}-{_ID}", f"{kind}-0a1b2c3d")


@dataclass(frozen=True)
class Project:
    """Names of a customization job and of what it touches.

    Attributes:
        account: 12 digits.
        bucket: of the training data and the results.
        region: where bucket, key and job are.
        name: of the job and its model.
        training, output: prefixes in the bucket, without slashes at their ends; apart.
        role: that Bedrock takes on while it trains.
        engineer, auditor: roles of the people who prepare the data, and who look at its settings.
        key: id of a KMS key (a UUID, or mrk-…), or None for keys that AWS owns.
        network: where the job runs; None is the internet.

    Raises:
        AwsError: a name that AWS would not take, or that would widen a policy.

    >>> Project("111122223333", "my-team-data").training_uri
    's3://my-team-data/training/'
    """

    account: str
    bucket: str
    region: str = "us-east-1"
    name: str = "course"
    training: str = "training"
    output: str = "output"
    role: str = "BedrockTraining"
    engineer: str = "DataEngineer"
    auditor: str = "Auditor"
    key: str | None = None
    network: Network | None = None

    def __post_init__(self) -> None:
        _fit("account", self.account, r"[0-9]{12}", "111122223333",
             "An account is 12 digits, kept as text: leading zeros count.")
        for holds, rule in _BUCKET_RULES:
            if not isinstance(self.bucket, str) or not holds(self.bucket):
                raise AwsError(f"The bucket's name is {self.bucket!r}; one {rule}.",
                               where="Project.bucket", fix="Choose another, such as my-team-data.")
        if self.region not in regions():
            raise AwsError(f"{self.region!r} is no region of AWS.", where="Project.region",
                           fix=meant(str(self.region), regions()))
        _fit("name", self.name, r"[0-9a-zA-Z](-?[0-9a-zA-Z]){0,40}", "my-model")
        for prefix in ("training", "output"):
            _fit(prefix, getattr(self, prefix), _PREFIX, "data/v1",
                 "A prefix has no slash at its ends and no wildcard.")
        if any(a == b or a.startswith(f"{b}/") for a, b in (
                (self.training, self.output), (self.output, self.training))):
            raise AwsError("The prefixes of training data and output overlap, so whoever may write "
                           "one may write the other.", where="Project.output",
                           fix="Keep them apart, such as training and output.")
        for name, role in zip(("role", "engineer", "auditor"), self.roles, strict=True):
            _fit(name, role, _ROLE, "BedrockTraining")
        if len(set(self.roles)) < len(self.roles):
            raise AwsError("Two of the roles have the same name.", where="Project.role",
                           fix="Give each its own: a shared role has all rights of both.")
        if self.key is not None:
            _fit("key", self.key, f"{_UUID}|mrk-[0-9a-f]{{32}}",
                 "1234abcd-12ab-34cd-56ef-1234567890ab",
                 "Give the key's id, which stays the same, not an alias or ARN.")

    @property
    def roles(self) -> tuple[str, str, str]:
        """Names of the training role, and of the people's: engineer and auditor."""
        return self.role, self.engineer, self.auditor

    @property
    def partition(self) -> str:
        """Of AWS: 'aws', 'aws-cn', 'aws-us-gov' …"""
        return regions()[self.region]

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket}"

    def objects(self, *prefixes: str) -> list[str]:
        """ARNs that match all objects under prefixes."""
        return [f"{self.bucket_arn}/{prefix}/*" for prefix in prefixes]

    def role_arn(self, role: str | None = None) -> str:
        """ARN of a role of the account; by default that of the training role."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role or self.role}"

    @property
    def account_arn(self) -> str:
        """ARN that stands for the whole account."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def key_arn(self) -> str | None:
        """ARN of the key."""
        return self.key and self.arn("kms", f"key/{self.key}")

    @property
    def jobs_arn(self) -> str:
        """What matches the account's customization jobs."""
        return self.arn("bedrock", "model-customization-job/*")

    @property
    def training_uri(self) -> str:
        """Where the training data are."""
        return f"s3://{self.bucket}/{self.training}/"

    @property
    def output_uri(self) -> str:
        """Where Bedrock writes a job's metrics."""
        return f"s3://{self.bucket}/{self.output}/"

    def arn(self, service: str, resource: str) -> str:
        """ARN of something of this account in this region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def host(self, service: str) -> str:
        """Where a service of this region answers, as `kms:ViaService` names it."""
        return f"{service}.{self.region}.amazonaws.com{'.cn' * (self.partition == 'aws-cn')}"

    def __str__(self) -> str:
        return "\n".join(f"{one.name:10} {getattr(self, one.name)}" for one in fields(self))


def _fit(name: str, value: object, pattern: str, example: str, hint: str = "") -> None:
    """Raise unless a value is text of this shape."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise AwsError(f"{value!r} cannot be the project's {name.replace('_', ' ')}."
                       f"{' ' * bool(hint)}{hint}", where=name, fix=f"Give one like {example}.")
