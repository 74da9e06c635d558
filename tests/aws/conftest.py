"""A project with everything, and a store that runs once for a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fmcourse import aws

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="session")
def project() -> aws.Project:
    return aws.Project(
        "111122223333", "my-team-data", key=KEY, network=aws.Network(
            "vpc-0a1b2c3d", "vpce-0a1b2c3d", ("subnet-0a1b2c3d", "subnet-0a1b2c3e"),
            ("sg-0a1b2c3d",)))


@pytest.fixture(scope="session")
def bare() -> aws.Project:
    return aws.Project("111122223333", "my-team-data", region="eu-west-1")


@pytest.fixture(scope="module")
def running(project) -> Iterator[aws.Store]:
    with aws.local(project) as store:
        yield store
