"""`fmcourse export`, `verify` and `serve`, and commands of `fmcourse aws` that follow them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import tiny
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fmcourse import models, ship


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


def test_a_folder_that_a_stranger_signed_fails(command, folder, tmp_path):
    """Also where everything fits together: whoever changes a file can sign the folder anew."""
    out, theirs = tmp_path / "out", tmp_path / "theirs.pem"
    command("export", folder, out)
    theirs.write_bytes(Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (out / "README.md").write_text("trust me")
    ship.sign(out, theirs)
    code, said, complained = command("verify", out)
    assert (code, said) == (1, "")
    assert "a key that this machine does not know" in complained
    assert "--key FILE" in complained
    code, said, _ = command("verify", out, "--any-signer")
    assert code == 0
    assert "does not know that key" in said
    public = tmp_path / "public.pem"
    public.write_text(json.loads((out / "manifest.json").read_text())["key"])
    assert command("verify", out, "--key", public)[0] == 0
    (out / "README.md").write_text("changed")
    assert command("verify", out, "--any-signer")[0] == 1


def test_a_missing_key_is_told_as_one(command, folder, tmp_path):
    for words in (("verify", folder), ("export", folder, tmp_path / "out")):
        ship.sign(folder)
        code, _, complained = command(*words, "--key", "/nope")
        assert code == 1
        assert "where: /nope" in complained
        assert "Name the file of a key" in complained
    assert not (tmp_path / "out").exists()


def test_an_export_leaves_a_folder_with_a_file_of_somebody_alone(command, folder, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("mine")
    code, _, complained = command("export", folder, tmp_path / "precious")
    assert code == 1
    assert "thesis.txt" in complained
    assert "Name another folder" in complained
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("words", [
    ("train", "instruct", "--data", "none.jsonl", "--folder"),
    ("train", "continued", "--data", "none.txt", "--folder"), ("train", "base", "--folder"),
    ("train", "base", "--publish", "--to")])
def test_a_run_does_not_go_among_others_things(command, words, tmp_path):
    place = tmp_path / "mine"
    (place / "model").mkdir(parents=True)
    (place / "model" / "thesis.txt").write_text("mine")
    code, _, complained = command(*words, place)
    assert code == 1
    assert "stays as it is: model" in complained
    assert (place / "model" / "thesis.txt").read_text() == "mine"


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
