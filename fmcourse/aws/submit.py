"""The one door to the real AWS, and it is shut: a request is printed unless somebody means it."""

from __future__ import annotations

from typing import Any

from fmcourse.aws.checks import check
from fmcourse.aws.requests import Request
from fmcourse.aws.session import send
from fmcourse.errors import AwsError


def submit(request: Request, really: bool = False, client: Any = None, say: Any = print
           ) -> dict[str, Any] | None:
    """Print a request, and send it only if `really`, with the credentials of this machine.

    Args:
        request: what to send.
        really: send it. A customization job costs money, and so do the models that it makes.
        client: of boto3, instead of one with this machine's credentials.
        say: called with texts.

    Returns:
        AWS's answer, or None when nothing was sent.

    Raises:
        AwsError: the checks find something, there are no credentials, or AWS refuses.
    """
    name, found = f"{request.service} {request.operation}", check(request)
    if found:
        raise AwsError("\n".join(["AWS would not take this:", *map(str, found)]), where=name,
                       fix="Correct these, and check again.")
    say(request)
    if not really:
        say("Nothing was sent: this is what would be.")
        return None
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = send(client or _client(request), request.operation, request.parameters)
    except (BotoCoreError, ClientError) as error:
        raise AwsError(f"AWS refuses: {error}", where=name,
                       fix="Read its reason; for AccessDenied, see who you are with: "
                           "aws sts get-caller-identity") from error
    answer.pop("ResponseMetadata", None)
    say(f"Sent; AWS answers {answer}")
    return answer


def _client(request: Request) -> Any:
    """A client with the credentials that boto3 finds, as the AWS command line would."""
    import boto3

    session = boto3.Session()
    if session.get_credentials() is None:
        raise AwsError("There are no AWS credentials on this machine, so nothing was sent.",
                       where=f"{request.service} {request.operation}",
                       fix="Sign in first: aws configure sso, then aws sso login")
    return session.client(request.service, region_name=request.region)
