"""The real AWS CLI as a judge: it knows its commands, and touches nothing but its own models."""

import contextlib
import importlib.util
import os
import socket
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data import aws_cli
from fmcourse.data.aws_cli import read
from fmcourse.errors import DataError

(PACKAGE,) = importlib.util.find_spec("awscli").submodule_search_locations  # not imported yet
HARMFUL = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.",
           "os.remove", "os.mkdir", "os.rename", "shutil.", "ctypes.", "webbrowser.")
WATCHED: list[list[str]] = []


def _hook(event: str, details: tuple) -> None:
    """Python tells audit hooks about every file, socket and process; a hook cannot be removed."""
    if not WATCHED:
        return
    if event.startswith(HARMFUL):
        WATCHED[-1].append(f"{event} {details}")
    elif event == "open" and isinstance(details[0], str) and not details[0].startswith(
            (PACKAGE, sys.prefix, sys.base_prefix)):
        WATCHED[-1].append(f"open {details[0]}")


sys.addaudithook(_hook)


@contextlib.contextmanager
def watching():
    """Fails if anything but the package's own files is opened, connected to or started."""
    WATCHED.append([])
    yield
    assert WATCHED.pop() == []


@pytest.fixture(scope="module", autouse=True)
def imported():
    """Importing urllib3 asks whether a socket can have an IPv6 address; reading does not."""
    read("aws s3 ls")


@pytest.fixture
def untouched():
    with watching():
        yield


def test_the_watch_sees_files_and_sockets():
    with pytest.raises(AssertionError), watching():
        open(os.devnull).close()
    with pytest.raises(AssertionError), watching():
        socket.socket().close()


@pytest.mark.parametrize(("command", "service", "operation"), [
    ("aws ec2 describe-instances", "ec2", "describe-instances"),
    ("aws --region eu-west-1 s3api list-buckets --debug", "s3api", "list-buckets"),
    ("aws ec2 wait instance-running --instance-ids i-1", "ec2", "wait instance-running"),
    ("aws s3 cp a.txt s3://bucket/ --acl private", "s3", "cp"),
    ("aws s3 sync . s3://bucket --delete", "s3", "sync"),
    ("aws configure set region eu-west-1", "configure", "set"),
    ("aws cloudformation deploy --template-file t --stack-name s", "cloudformation", "deploy"),
    ("aws lambda invoke --function-name f out.json", "lambda", "invoke"),
    ("aws ec2 run-instances --image-id ami-1 --count 2", "ec2", "run-instances"),
])
def test_commands_are_known_and_fit(untouched, command, service, operation):
    call = read(command)
    assert (call.service, call.operation, call.problem) == (service, operation, "")


@pytest.mark.parametrize(("command", "why"), [
    ("ls", "begin with aws"), ("aws", "required"), ("aws nope ls", "Invalid choice"),
    ("aws ec2 nope", "Invalid choice"), ("aws ec2", "required"), ("aws s3", "no subcommand"),
    ("aws ec2 wait", "no subcommand"), ("aws ec2 describe-instances --nope 1", "--nope"),
    ("aws ec2 start-instances", "--instance-ids"), ("aws ec2 describe-instances more", "more"),
    ("aws --version", "version"), ("aws help", "help"), ("aws ec2 help", "choice|help"),
    ("aws s3 help", "help|choice"), ("aws ec2 describe-instances help", "help"),
    ("aws s3 cp a", "required"), ("aws sts get-caller-identity --query 'a['", "--query"),
    ("aws s3 ls --output nope", "Invalid choice"),
    ("aws s3 ls --endpoint-url localhost", "endpoint-url"),
])
def test_what_the_cli_would_not_take_is_refused(untouched, capsys, command, why):
    with pytest.raises(DataError, match=why):
        read(command)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("command", "why"), [
    ("aws ec2 create-tags --resources i-1 --tags Keyy=a", "Keyy"),
    ("aws ec2 create-tags --resources i-1 --tags '[{\"Key\": 5}]'", "Key"),
    ("aws ec2 describe-instances --max-results five", "MaxResults|max-results|five"),
    ("aws dynamodb put-item --table-name t --item '{\"a\"'", "JSON"),
    ("aws dynamodb get-item --cli-input-json '{\"TableName\": \"t\"}'", "Key is missing"),
    ("aws dynamodb get-item --cli-input-json '[]'", ""),
    ("aws dynamodb list-tables --cli-input-json '{\"Nope\": 1}'", "Nope"),
    ("aws ec2 describe-instances --filters fileb://x", "bytes"),
    ("aws lambda create-function --function-name f --role r --zip-file x.zip", "zip"),
    ("aws ec2 describe-instances --generate-cli-skeleton output", "skeleton"),
])
def test_parameters_that_do_not_fit_are_a_problem(untouched, command, why):
    problem = read(command).problem
    assert problem
    assert why in problem or any(part in problem for part in why.split("|"))


@pytest.mark.parametrize("command", [
    "aws dynamodb put-item --cli-input-json file:///etc/passwd",
    "aws dynamodb put-item --table-name t --item file:///etc/passwd",
    "aws dynamodb put-item --table-name t --item a@=file:///etc/passwd",
    "aws s3api put-object --bucket b --key k --body fileb:///etc/shadow",
    "aws lambda update-function-code --function-name f --zip-file fileb:///etc/shadow",
    "aws iam create-role --role-name r --assume-role-policy-document file://~/.aws/credentials",
    "aws iam create-virtual-mfa-device --virtual-mfa-device-name n --outfile /nowhere/q.png "
    "--bootstrap-method QRCodePNG",
    "aws ec2 get-password-data --instance-id i-1 --priv-launch-key /etc/shadow",
    "aws sqs send-message --queue-url https://example.org/1 --message-body http://example.org/",
    "aws ec2 run-instances --image-id ami-1 --user-data file:///etc/passwd",
])
def test_no_file_or_address_is_opened(untouched, command):
    assert read(command).problem == ""


def test_a_file_within_a_value_of_a_custom_argument_is_not_opened(untouched):
    assert "not read" in read("aws deploy create-deployment --application-name a "
                              "--s3-location bucket@=file:///etc/passwd").problem


@pytest.mark.parametrize("command", [
    "aws s3 rm s3://bucket --recursive", "aws configure", "aws s3 mb s3://b", "aws ecr get-login",
    "aws cloudformation package --template-file /etc/passwd --s3-bucket b",
    "aws ssm start-session --target i-1", "aws eks update-kubeconfig --name c", "aws history list",
    "aws ecs execute-command --cluster c --task t --interactive --command sh",
])
def test_commands_that_would_act_do_not(untouched, command):
    assert read(command).service


def test_nothing_of_this_machine_matters(monkeypatch, tmp_path):
    commands = ["aws ec2 describe-instances", "aws s3 ls", "aws sts get-caller-identity"]
    before = [read(command) for command in commands]
    aws = tmp_path / ".aws"
    (aws / "cli").mkdir(parents=True)
    (aws / "cli" / "alias").write_text("[toplevel]\nnope = s3 ls\n")
    (aws / "config").write_text("[default]\nregion = nowhere\n[plugins]\nx = nope\n")
    for name, value in {"HOME": str(tmp_path), "AWS_PROFILE": "nonexistent",
                        "AWS_CONFIG_FILE": str(aws / "config"), "AWS_DATA_PATH": str(tmp_path),
                        "AWS_DEFAULT_OUTPUT": "nope", "AWS_REGION": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    aws_cli._tools.cache_clear()
    with watching():
        assert [read(command) for command in commands] == before
        with pytest.raises(DataError, match="Invalid choice"):
            read("aws nope")


def test_importing_the_cli_leaves_the_environment_alone():
    read("aws s3 ls")
    assert "AWS_DATA_PATH" not in os.environ


def test_a_command_leaves_nothing_for_the_next():
    """Each of these changes the CLI's own tables or handlers for the rest of its one run."""
    asked = "aws ec2 start-instances"
    for command in ("aws ec2 start-instances --cli-input-json '{}'",
                    "aws ec2 modify-instance-attribute --instance-id i --no-source-dest-check",
                    "aws ec2 start-instances --generate-cli-skeleton"):
        read(command)
    with pytest.raises(DataError, match="instance-ids"):
        read(asked)
    assert read("aws ec2 modify-instance-metadata-options --instance-id i").problem == ""


@pytest.mark.parametrize(("one", "other"), [
    ("aws ec2 stop-instances --instance-ids i-1 --force",
     "aws  ec2 stop-instances --force \\\n  --instance-ids='i-1'"),
    ("aws s3 ls s3://b --region x", "aws --region \"x\" s3 ls s3://b"),
])
def test_order_quotes_and_space_do_not_count(one, other):
    assert read(one) == read(other)
    assert read(one) != read(one.replace("i-1", "i-2").replace("s3://b", "s3://c"))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80), st.sampled_from(["", "s3 ", "ec2 describe-instances ",
                                              "dynamodb put-item --item ", "ec2 run-instances "]))
def test_any_reply_is_read_or_refused(text, start):
    try:
        call = read(f"aws {start}{text}")
    except DataError:
        return
    assert call.service
