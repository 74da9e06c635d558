"""`fmcourse aws`: what it writes, what it says, and that it sends nothing."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import pytest

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


def test_what_is_meant_is_sent(job, monkeypatch):
    sent = {}

    def create(**parameters):
        sent.update(parameters)
        return {"jobArn": "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/a"}

    client = SimpleNamespace(create_model_customization_job=create)
    monkeypatch.setattr("boto3.Session", lambda: SimpleNamespace(
        get_credentials=lambda: "some", client=lambda service, region_name: client))
    code, said, _ = job("submit", "job.json", "--submit")
    assert code == 0
    assert "Sent; AWS answers" in said
    assert sent["hyperParameters"] == {"epochCount": "3"}
