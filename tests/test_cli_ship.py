"""`fmcourse export`, `verify` and `serve`, and commands of `fmcourse aws` that follow them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tiny

from fmcourse import models


@pytest.fixture
def folder(tmp_path):
    return models.with_chat(tiny.model()).save(tmp_path / "model")


def test_a_model_is_exported_checked_and_found_changed(command, folder, tmp_path):
    out = tmp_path / "out"
    code, said, _ = command("export", folder, out, "--to", "hf")
    assert code == 0
    assert "all as they were signed" in said
    assert command("aws", "import-check", out, "--region", "us-east-1")[0] == 0
    assert command("verify", out)[0] == 0
    with open(out / "model.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    code, _, complained = command("verify", out)
    assert code == 1
    assert "changed  model.safetensors" in complained


def test_what_cannot_be_imported_is_said_with_its_remedy(command, folder):
    code, _, complained = command("aws", "import-check", folder)
    assert code == 1
    assert "rope_parameters" in complained
    assert "fmcourse export" in complained


def test_serve_starts_the_server_of_transformers_on_loopback(command, folder, monkeypatch):
    started = []
    monkeypatch.setattr("subprocess.run", lambda words, env, check: started.append(words)
                        or SimpleNamespace(returncode=0))
    code, said, _ = command("serve", folder, "--port", "8123")
    assert code == 0
    assert "http://127.0.0.1:8123/v1" in said
    assert started[0][2:5] == ["transformers.cli.transformers", "serve", str(folder)]


def test_a_plan_is_written_from_a_run(command, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.toml").write_text('account = "111122223333"\nbucket = "my-team-data"\n')
    (tmp_path / "run.json").write_text('{"recipe": {"epochs": 2.0}}')
    record = ('{"schemaVersion": "bedrock-conversation-2024", "messages": ['
              '{"role": "user", "content": [{"text": "Hi"}]}, '
              '{"role": "assistant", "content": [{"text": "Hello"}]}]}\n')
    (tmp_path / "train.jsonl").write_text(record * 10)
    code, said, complained = command("aws", "plan", "project.toml", ".", "train.jsonl", "plan")
    assert (code, complained) == (0, "")
    assert said.count("wrote ") == 4
    assert command("aws", "check", "plan")[0] == 0
