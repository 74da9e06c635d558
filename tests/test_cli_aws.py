"""`fmcourse aws`: what it writes, what it says, and that it sends nothing."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import boto3
import pytest
import tiny
from botocore.stub import Stubber
from moto import mock_aws

from fmcourse import models, ship, train
from fmcourse.models import Adapter

PROJECT = 'account = "111122223333"\nbucket = "my-team-data"\n'


@pytest.fixture
def command(command, monkeypatch, tmp_path):
    """In a folder with a project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.toml").write_text(PROJECT)
    return partial(command, "aws")


@pytest.fixture
def job(command):
    code, said, _ = command("request", "project.toml", "job.json", "--model", "nova-lite",
                            "--setting", "epochCount=3")
    assert (code, said.splitlines()[-1]) == (0, "wrote job.json; nothing was sent")
    return command


def test_documents_are_written_and_good(command, tmp_path):
    code, said, _ = command("policies", "project.toml", "out")
    assert code == 0
    assert said.count("wrote ") == 16
    code, said, complained = command("check", "out")
    assert (code, complained) == (0, "")
    assert said.count(": good") == 16
    policy = json.loads((tmp_path / "out" / "trust-policy.json").read_text())
    assert policy["Statement"][0]["Principal"] == {"Service": "bedrock.amazonaws.com"}


def test_a_fault_is_told_with_its_place_and_remedy(job, tmp_path):
    path = tmp_path / "job.json"
    path.write_text(path.read_text().replace('"3"', '"30"'))
    code, said, complained = job("check", path)
    assert code == 1
    assert "1 wrong" in said
    assert "hyperParameters.epochCount" in complained
    assert "from 1 to 5" in complained


@pytest.mark.parametrize(("words", "says"), [
    (("request", "project.toml", "a.json", "--model", "nova"), "Did you mean nova-pro|nova-"),
    (("request", "project.toml", "a.json", "--model", "nova-lite", "--setting", "x"), "no value"),
    (("request", "none.toml", "a.json", "--model", "nova-lite"), "cannot be read"),
    (("check", "nothing"), "cannot be read"), (("submit", "project.toml"), "cannot be read")])
def test_a_mistake_is_said_in_a_sentence(command, words, says):
    code, _, complained = command(*words)
    assert code == 1
    assert any(part in complained for part in says.split("|"))
    assert "Traceback" not in complained


def test_an_empty_folder_is_no_success(command, tmp_path):
    (tmp_path / "empty").mkdir()
    assert command("check", "empty")[0] == 1


def test_nothing_is_sent_without_submit_nor_without_credentials(job, monkeypatch):
    code, said, _ = job("submit", "job.json")
    assert code == 0
    assert said.endswith("Nothing was sent: this is what would be.\n")
    monkeypatch.setattr("boto3.Session", lambda: SimpleNamespace(get_credentials=lambda: None))
    code, said, complained = job("submit", "job.json", "--submit")
    assert code == 1
    assert "There are no AWS credentials" in complained


@pytest.fixture
def stubbed(monkeypatch):
    """Real clients of boto3, whose answers are given beforehand and whose requests are checked."""
    session = boto3.Session("AKIATEST", "secret", region_name="us-east-1")
    real, made = session.client, {}

    def client(service, region_name=None):
        assert region_name == "us-east-1"
        return stub(service).client

    def stub(service):
        if service not in made:
            made[service] = Stubber(real(service))
            made[service].activate()
        return made[service]

    monkeypatch.setattr(session, "client", client)
    monkeypatch.setattr("boto3.Session", lambda: session)
    yield stub
    for one in made.values():
        one.assert_no_pending_responses()


def test_what_is_meant_is_sent(job, stubbed, tmp_path):
    arn = "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/abc/abcdefghijkl"
    asked = json.loads((tmp_path / "job.json").read_text())["parameters"]
    stubbed("bedrock").add_response("create_model_customization_job", {"jobArn": arn}, asked)
    code, said, _ = job("submit", "job.json", "--submit")
    assert code == 0
    assert f"Sent; AWS answers {{'jobArn': '{arn}'}}" in said


def test_what_aws_refuses_is_a_sentence(job, stubbed):
    stubbed("bedrock").add_client_error("create_model_customization_job", "AccessDeniedException",
                                        "not authorized to perform: iam:PassRole", 403)
    code, _, complained = job("submit", "job.json", "--submit")
    assert code == 1
    assert "AWS refuses" in complained
    assert "iam:PassRole" in complained
    assert "aws sts get-caller-identity" in complained


RECORD = ('{"schemaVersion": "bedrock-conversation-2024", "messages": ['
          '{"role": "user", "content": [{"text": "Say %d."}]}, '
          '{"role": "assistant", "content": [{"text": "Good day."}]}]}\n')


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder as `fmcourse train instruct` leaves it, records, and an export of its model."""
    model = models.with_chat(tiny.model())
    model.save(tmp_path / "run" / "model")
    ship.export(model, tmp_path / "exported")
    recipe = train.InstructRecipe(epochs=2.0, learning_rate=1e-5, seed=3,
                                  adapter=Adapter("lora", rank=4))
    (tmp_path / "run" / "run.json").write_text(json.dumps({
        "name": "base on train.jsonl", "recipe": recipe.as_dict(),
        "metrics": {"epochs": 2.0, "validation_after": 1.0},
        "parents": {"start": models.load("base", "cpu").sha256()},
        "reads": [{"texts": 9}, {"texts": 1}]}))
    (tmp_path / "train.jsonl").write_text("".join(RECORD % i for i in range(10)))


PLAN = ("plan", "project.toml", "run", "train.jsonl", "plan")


def test_a_plan_is_written_with_what_it_leaves_out_and_what_comes_first(command, run):
    code, said, complained = command(*PLAN, "--exported", "exported")
    assert (code, complained) == (0, "")
    assert said.count("wrote ") == 5
    assert "note: The managed job takes over epochCount 2 and learningRate 1e-05; not: " in said
    for part in ("nothing was sent", "1. fmcourse aws policies project.toml FOLDER",
                 "2. upload train.jsonl to s3://my-team-data/training/train.jsonl",
                 "3. upload exported to s3://my-team-data/output/model/",
                 "4. fmcourse aws submit --submit, for 1-trust.json"):
        assert part in said
    assert command("check", "plan")[0] == 0


def test_from_a_run_to_jobs_that_run(command, run, stubbed_import, tmp_path):
    """A run, the project's documents and the plan of it, each file sent; and what is then on AWS.

    Everything goes through real clients: to moto where it has the operation, and the import, which
    it has not, to botocore's Stubber.
    """
    assert command("policies", "project.toml", "documents")[0] == 0
    assert command(*PLAN, "--exported", "exported")[0] == 0
    asked = json.loads((tmp_path / "plan" / "5-bedrock-import.json").read_text())["parameters"]
    stubbed_import(asked)
    files = [*sorted((tmp_path / "documents" / "setup").iterdir()),
             *sorted((tmp_path / "plan").iterdir())]
    assert len(files) == 15
    for path in files:
        code, said, complained = command("submit", path, "--submit")
        assert (code, complained) == (0, ""), path.name
        assert "Sent; AWS answers" in said
    iam, bedrock, sagemaker, s3 = (boto3.client(name, region_name="us-east-1") for name in (
        "iam", "bedrock", "sagemaker", "s3"))
    role = iam.get_role(RoleName="BedrockTraining")["Role"]
    trusted = [one["Condition"]["ArnLike"]["aws:SourceArn"].split(":")[5].split("/")[0]
               for one in role["AssumeRolePolicyDocument"]["Statement"]]
    assert trusted == ["model-customization-job", "model-import-job", "training-job"]
    assert iam.list_role_policies(RoleName="BedrockTraining")["PolicyNames"] == [
        "course", "sagemaker"]
    for name, policy in (("DataEngineer", "engineer-policy"), ("Auditor", "auditor-policy"),
                         ("BedrockTraining", "training-role-policy")):
        wanted = json.loads((tmp_path / "documents" / f"{policy}.json").read_text())
        assert iam.get_role_policy(RoleName=name, PolicyName="course")["PolicyDocument"] == wanted
    wanted = json.loads((tmp_path / "documents" / "bucket-policy.json").read_text())
    assert json.loads(s3.get_bucket_policy(Bucket="my-team-data")["Policy"]) == wanted
    assert all(s3.get_public_access_block(Bucket="my-team-data")[
        "PublicAccessBlockConfiguration"].values())
    job = bedrock.get_model_customization_job(jobIdentifier="course-fine-tuning")
    assert job["hyperParameters"] == {"epochCount": "2", "learningRate": "1e-05"}
    assert job["roleArn"].split(":")[5] == role["Arn"].split(":")[5]  # the account is moto's own
    own = sagemaker.describe_training_job(TrainingJobName="course-training")
    said = own["AlgorithmSpecification"]["ContainerArguments"]
    assert said[said.index("--seed") + 1] == "3"
    assert own["EnableNetworkIsolation"] is True


@pytest.fixture
def stubbed_import(monkeypatch):
    """Everything goes to moto, but one operation."""
    with mock_aws():
        ours, stubs = boto3.client, []
        session = boto3.Session()
        bedrock = ours("bedrock", region_name="us-east-1")

        def expect(parameters):
            other = ours("bedrock", region_name="us-east-1")
            stub = Stubber(other)
            stub.add_response("create_model_import_job", {
                "jobArn": "arn:aws:bedrock:us-east-1:111122223333:model-import-job/abcdefghijkl"},
                parameters)
            stub.activate()
            stubs.append(stub)
            monkeypatch.setattr(bedrock, "create_model_import_job", other.create_model_import_job)

        monkeypatch.setattr(session, "client", lambda service, region_name: bedrock if (
            service == "bedrock") else ours(service, region_name=region_name))
        monkeypatch.setattr("boto3.Session", lambda: session)
        yield expect
        for stub in stubs:
            stub.assert_no_pending_responses()


@pytest.mark.parametrize(("words", "says"), [
    (("plan", "project.toml", "nowhere", "train.jsonl", "plan"), "There is no finished run here"),
    (("plan", "project.toml", "run", "train.jsonl", "project.toml"), "this is a file"),
    ((*PLAN, "--image", "foo/bar:1"), "no image in Amazon ECR"),
    ((*PLAN, "--base", "smollm3"), "is no folder"),
    (("policies", "project.toml", "project.toml"), "this is a file"),
    (("request", "project.toml", "project.toml", "--model", "nova-lite"), "--force")])
def test_a_plan_that_cannot_be_is_a_sentence_with_a_remedy(command, run, words, says, tmp_path):
    code, _, complained = command(*words)
    assert code == 1
    assert says in complained
    assert "what to do:" in complained
    assert (tmp_path / "project.toml").read_text() == PROJECT
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize("text", [
    "[]", "{}", '{"recipe": 3}', "{", '{"recipe": {"epochs": "three"}}'])
def test_a_broken_run_is_a_sentence(command, run, text, tmp_path):
    (tmp_path / "run" / "run.json").write_text(text)
    code, _, complained = command(*PLAN)
    assert code == 1
    assert "run.json" in complained
    assert "fmcourse train instruct" in complained


def test_files_of_somebody_else_s_are_not_replaced(command, tmp_path):
    assert command("policies", "project.toml", "out")[0] == 0
    assert command("policies", "project.toml", "out")[0] == 0  # the same again
    mine = tmp_path / "out" / "bucket-policy.json"
    mine.write_text("my own")
    code, _, complained = command("policies", "project.toml", "out")
    assert code == 1
    assert "bucket-policy.json" in complained
    assert mine.read_text() == "my own"
    assert command("policies", "project.toml", "out", "--force")[0] == 0
    assert mine.read_text() != "my own"
