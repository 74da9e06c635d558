"""A botocore session that knows AWS's API models and nothing of this machine.

A learner's computer may hold real credentials, a default profile or a proxy. None of that has any
business in a lesson: here the configuration is botocore's defaults, the API models are those that
botocore ships, credentials are given by whoever makes a client, and metadata of an EC2 instance is
never asked for. Only `submit(..., really=True)` leaves this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel
    from botocore.session import Session


@cache
def offline() -> Session:
    """The session, made once (importing botocore takes half a second)."""
    from botocore.configprovider import (
        BOTOCORE_DEFAUT_SESSION_VARIABLES,
        ConfigValueStore,
        ConstantProvider,
    )
    from botocore.loaders import Loader
    from botocore.session import Session

    class Offline(Session):
        @property
        def full_config(self) -> dict[str, Any]:
            return {"profiles": {}}

        def _register_config_store(self) -> None:
            self._components.register_component("config_store", ConfigValueStore(
                {name: ConstantProvider(default) for name, (_, _, default, _)
                 in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}))

        def _register_data_loader(self) -> None:  # the usual one also looks into ~/.aws
            self._components.register_component("data_loader", Loader(
                [Loader.BUILTIN_DATA_PATH], include_default_search_paths=False))

    return Offline()


@cache
def service(name: str) -> ServiceModel:
    """The API model of a service, such as 'bedrock'."""
    return offline().get_service_model(name)


def operation(name: str, of: str) -> OperationModel:
    """The model of an operation of a service."""
    return service(of).operation_model(name)


@cache
def regions() -> dict[str, str]:
    """Every region that botocore knows for S3, with its partition ('aws', 'aws-cn' …)."""
    known = {}
    for partition in offline().get_available_partitions():
        for region in offline().get_available_regions("s3", partition):
            known[region] = partition
    return known


def send(client: Any, name: str, parameters: Mapping[str, Any]) -> Any:
    """Call an operation by the name that the API has for it, with a client that is given."""
    from botocore import xform_name

    return getattr(client, xform_name(name))(**parameters)
