"""What of moto is used, in one place: its server, and the two switches that are its process's."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


@contextmanager
def unseen() -> Iterator[None]:
    """This machine's AWS settings out of sight: moto asks boto3 for regions, which reads the
    learner's profile, and stops where that does not exist."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                          AWS_EC2_METADATA_DISABLED="true")
        yield


def server() -> Any:
    """moto's server class."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    return ThreadedMotoServer


def reset() -> None:
    """Forget every bucket, role and key."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()


@contextmanager
def open_doors() -> Iterator[None]:
    """Nobody is asked for rights."""
    from moto.core.authorization import disable_iam_authentication

    with disable_iam_authentication():
        yield


@contextmanager
def enforcing() -> Iterator[None]:
    """Everybody is."""
    from moto.core.authorization import enable_iam_authentication

    with enable_iam_authentication():
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Without a line for every request, and without the tracebacks of moto's own mistakes."""
    loggers = [logging.getLogger(name) for name in ("werkzeug", "moto", "botocore")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
