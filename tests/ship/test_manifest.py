"""Signed folders: each file that changed, went or came is named; another's signature is no use."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse import ship, store
from fmcourse.errors import StoreError
from fmcourse.ship import keys


def other_key(path):
    """A private key of somebody else's, made in a home of theirs."""
    home = os.environ["FMCOURSE_HOME"]
    os.environ["FMCOURSE_HOME"] = str(path.parent / "their-home")
    try:
        keys.private_key()
        shutil.copy(store.home() / "keys" / "signing.pem", path)
    finally:
        os.environ["FMCOURSE_HOME"] = home
    return path


@pytest.fixture
def signed(folder):
    ship.sign(folder)
    return folder


def test_what_is_signed_is_whole(signed):
    found = ship.verify(signed)
    assert found.whole
    assert found.known
    assert found.files == len(list(signed.iterdir())) - 2
    assert "all as they were signed" in str(found)


def test_one_byte_of_the_weights_is_found(signed):
    path = signed / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    found = ship.verify(signed)
    assert (found.changed, found.missing, found.new) == (("model.safetensors",), (), ())
    assert "changed  model.safetensors" in str(found)


def test_what_is_gone_or_new_is_named(signed):
    (signed / "config.json").unlink()
    (signed / ".hidden").write_text("x")
    (signed / "more").mkdir()
    (signed / "more" / "code.py").write_text("x")
    found = ship.verify(signed)
    assert found.missing == ("config.json",)
    assert found.new == (".hidden", "more/code.py")


def test_a_new_hash_for_a_changed_file_does_not_help(signed):
    (signed / "README.md").write_text("trust me")
    manifest = json.loads((signed / "manifest.json").read_text())
    manifest["files"]["README.md"] = store.sha256_file(signed / "README.md")
    (signed / "manifest.json").write_text(json.dumps(manifest))
    assert ship.verify(signed).changed == ("manifest.json",)


def test_anothers_signature_is_called_so(signed, tmp_path):
    mine = tmp_path / "mine.pem"
    mine.write_text(json.loads((signed / "manifest.json").read_text())["key"])
    assert ship.verify(signed, mine).known
    ship.sign(signed, other_key(tmp_path / "theirs.pem"))
    found = ship.verify(signed)
    assert found.whole
    assert not found.known
    assert "does not know that key" in str(found)
    with pytest.raises(StoreError, match="Another key has signed this"):
        ship.verify(signed, mine)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_changed_byte_goes_unseen(signed_once, data):
    name = data.draw(st.sampled_from(sorted(file.name for file in signed_once.iterdir())))
    path = signed_once / name
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))])
                     + content[place + 1:])
    try:
        assert not ship.verify(signed_once).whole
    except StoreError:
        assert name == "manifest.json"  # its key, or its form
    finally:
        path.write_bytes(content)


@pytest.fixture(scope="module")
def signed_once(exported, tmp_path_factory):
    copy = shutil.copytree(exported, tmp_path_factory.mktemp("signed") / "tiny")
    ship.sign(copy)
    return copy


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 3, "files": {}}',
                                     '{"key": "no key", "files": {}}'])
def test_no_manifest_is_a_sentence(signed, content):
    (signed / "manifest.json").write_text(content)
    with pytest.raises(StoreError):
        ship.verify(signed)


def test_a_folder_that_nobody_signed_is_told(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        ship.verify(tmp_path)
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(StoreError, match="no private Ed25519 key"):
        ship.sign(tmp_path, tmp_path / "key.pem")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_private_key_is_its_users_alone():
    keys.private_key()
    assert stat.S_IMODE((store.home() / "keys" / "signing.pem").stat().st_mode) == 0o600


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs OpenSSL")
def test_openssl_agrees(signed, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(json.loads((signed / "manifest.json").read_text())["key"])
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-in", signed / "manifest.json",
               "-sigfile", signed / "manifest.sig", "-pubin", "-inkey", key]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (signed / "manifest.json").write_text("{}")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
