"""A store with S3's interface on this machine, that asks roles for their rights.

It is moto, a simulator of AWS, behind a real HTTP server on localhost, spoken to by boto3 like the
real one. Bucket, roles and key are made from a project's documents; then enforcement is turned on,
and each request is judged by the permission policies of the role whose credentials signed it.

moto 5.2 is not AWS (tried, and held by tests): it enforces the actions and resources of permission
policies on objects and buckets, and their Deny. It does not look at conditions (an Allow counts as
if its condition held, a Deny too), at principals, at NotResource, at whom a bucket's policy lets
in, at keys' policies and public-access blocks; it judges the reading and writing of encryption
settings and public-access blocks as ListBucket and CreateBucket, and its actions mind case. What it
does not judge, `decide` does. The bucket's policy is therefore not put: its Deny with a condition
would shut everybody out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fmcourse.aws import policies, simulator
from fmcourse.aws.project import Project
from fmcourse.aws.requests import setting_up
from fmcourse.aws.session import offline, send
from fmcourse.errors import AwsError, meant

STRANGER = "Stranger"
ALLOWED, DENIED = "allowed", "AccessDenied"
_ONE_AT_A_TIME = threading.Lock()
_ADMIN, _SKIPPED = "CourseAdministrator", ("PutBucketPolicy", "PutKeyPolicy", "ModifyVpcEndpoint")


@dataclass
class Store:
    """The running store; made by `local`.

    Attributes:
        project: its names; the key's id is the store's own.
        url: where it listens.
        roles: names of the roles that have credentials.
    """

    project: Project
    url: str
    _credentials: dict[str, tuple[str, str, str]] = field(default_factory=dict, repr=False)
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict, repr=False)

    @property
    def roles(self) -> list[str]:
        """Roles that a client can have."""
        return [name for name in self._credentials if name != _ADMIN]

    def client(self, service: str = "s3", role: str | None = None) -> Any:
        """A boto3 client with the temporary credentials of a role; without one, an anonymous one.

        Raises:
            AwsError: there is no such role.
        """
        if role is not None and role not in self._credentials:
            raise AwsError(f"The store has no role {role!r}.", where="client",
                           fix=meant(role, self.roles))
        if (service, role) not in self._clients:
            self._clients[service, role] = _client(service, self.url, self.project.region,
                                                   self._credentials.get(role or ""))
        return self._clients[service, role]

    def attempt(self, role: str | None, operation: str, service: str = "s3", **parameters: Any
                ) -> str:
        """Try something: 'allowed', or 'AccessDenied'. What isn't there can still be allowed.

        Args:
            role: whose credentials to use; None is anonymous.
            operation: such as 'get_object'.
            parameters: of it; `Bucket` is the project's unless given.

        Raises:
            AwsError: the store answers something else.
        """
        from botocore.exceptions import ClientError

        if service == "s3":
            parameters = {"Bucket": self.project.bucket, **parameters}
        try:
            getattr(self.client(service, role), operation)(**parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in (DENIED, "AccessDeniedException", "403") or (role, code) == (None, "500"):
                return DENIED  # moto stumbles over anonymous requests for what isn't there
            if not code.startswith("NoSuch") and code != "404":
                raise AwsError(f"The store answers {code}.", where=f"{operation} by {role}",
                               fix="Check the parameters.") from error
        return ALLOWED

    def set_policy(self, role: str, policy: Mapping[str, Any]) -> None:
        """Replace what a role may do; counts from its next request."""
        self.client(role=role)
        self.client("iam", _ADMIN).put_role_policy(
            RoleName=role, PolicyName="course", PolicyDocument=json.dumps(policy))

    def settings(self) -> dict[str, Any]:
        """Encryption and public-access block of the bucket, read back from the store."""
        s3, bucket = self.client("s3", _ADMIN), self.project.bucket
        rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        return {"encryption": rule["Rules"][0]["ApplyServerSideEncryptionByDefault"],
                "public access block": block}

    def put(self, key: str, body: bytes) -> dict[str, Any]:
        """Put an object as an administrator; what is read back says how it is encrypted."""
        s3 = self.client("s3", _ADMIN)
        s3.put_object(Bucket=self.project.bucket, Key=key, Body=body)
        found = s3.head_object(Bucket=self.project.bucket, Key=key)
        return {name: found[name] for name in ("ContentLength", "ServerSideEncryption",
                                               "SSEKMSKeyId") if name in found}


@contextmanager
def local(project: Project, may: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Store]:
    """Run a store with a project's bucket, roles and key; it ends, and all in it, with the block.

    Within the block this process does not see the machine's own AWS settings and credentials.

    Args:
        project: its names. Its key, if it has one, is replaced by one that the store makes.
        may: policies by role, instead of those the project has for it.

    Raises:
        AwsError: another store runs in this process: moto keeps one world for all.
    """
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise AwsError("A local store is running already.", where="aws.local",
                       fix="End its with block first.")
    with ExitStack() as stack:
        stack.callback(_ONE_AT_A_TIME.release)
        stack.enter_context(simulator.unseen())
        stack.enter_context(simulator.quiet())
        server = simulator.server()("127.0.0.1", 0, verbose=False)
        simulator.reset()
        stack.callback(simulator.reset)
        server.start()
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        store = Store(project, f"http://{host}:{port}")
        with simulator.open_doors():
            _furnish(store, may or {})
        stack.enter_context(simulator.enforcing())
        yield store


def _furnish(store: Store, may: Mapping[str, Mapping[str, Any]]) -> None:
    """Make what the project names, while nobody is asked for rights."""
    def to(service: str) -> Any:
        made = _client(service, store.url, store.project.region, ("AKIACOURSE", "course", None))
        made.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(
            "x-moto-account-id", store.project.account))
        return made

    clients = {service: to(service) for service in ("s3", "iam", "kms", "sts")}
    if store.project.key:
        made = clients["kms"].create_key(Policy=json.dumps(policies.key_policy(store.project)))
        store.project = replace(store.project, key=made["KeyMetadata"]["KeyId"])
    for request in setting_up(store.project):
        if request.operation not in _SKIPPED:
            send(clients[request.service], request.operation, request.parameters)
    trust = json.dumps(policies.people_policy(store.project))
    named = store.project.roles
    roles = dict.fromkeys((*named, STRANGER, *may, _ADMIN))
    for role in roles:
        if role not in named:
            clients["iam"].create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    for role, policy in {**may, _ADMIN: policies.all_powerful()}.items():
        clients["iam"].put_role_policy(RoleName=role, PolicyName="course",
                                       PolicyDocument=json.dumps(policy))
    for role in roles:
        given = clients["sts"].assume_role(RoleArn=store.project.role_arn(role),
                                           RoleSessionName="course")["Credentials"]
        store._credentials[role] = (given["AccessKeyId"], given["SecretAccessKey"],
                                    given["SessionToken"])


def _client(service: str, url: str, region: str, credentials: tuple[str, str, str | None] | None
            ) -> Any:
    """A client with nothing of this machine's: no credentials, no proxy, no second try."""
    from botocore import UNSIGNED
    from botocore.config import Config

    key, secret, token = credentials or ("anonymous", "anonymous", None)
    return offline().create_client(
        service, region_name=region, endpoint_url=url, aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token, config=Config(
            proxies={}, retries={"max_attempts": 0}, s3={"addressing_style": "path"},
            signature_version=None if credentials else UNSIGNED))
