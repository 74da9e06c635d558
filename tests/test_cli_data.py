"""`fmcourse data`: what it says, what it writes, how it ends."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

PAIR = '{"prompt": "Hi", "completion": "Hello"}\n'


@pytest.fixture
def command(command):
    return partial(command, "data")


@pytest.fixture
def good(tmp_path) -> Path:
    path = tmp_path / "good.jsonl"
    path.write_text(PAIR * 100)
    return path


@pytest.fixture
def bad(tmp_path) -> Path:
    path = tmp_path / "bad.jsonl"
    path.write_text(PAIR + '{"promt": "a"}\n' * 12)
    return path


def test_formats_are_listed_with_their_sources(command):
    code, said, _ = command("formats")
    assert code == 0
    assert "bedrock-rft            Bedrock reinforcement fine-tuning" in said
    assert said.count("https://") >= 10


def test_a_good_file_is_counted(command, good):
    code, said, complained = command("check", good)
    assert (code, complained) == (0, "")
    assert said == ("records of good.jsonl (prompt and completion): 100 read = 100 kept + 0 "
                    "dropped\n")


def test_a_bad_file_is_told_by_line_and_column(command, bad):
    code, said, complained = command("check", bad)
    assert code == 1
    assert "13 read = 1 kept + 12 dropped" in said
    assert complained.count("bad.jsonl, line ") == 10
    assert 'line 2, column 2: The key "promt" is unknown. Write "prompt".' in complained
    assert "and 2 more" in complained
    assert "Traceback" not in complained


def test_a_file_is_held_against_a_model(command, good, tmp_path):
    code, said, _ = command("check", good, "--for", "llama-3.1-8b")
    assert code == 0
    assert "model-customization-prepare.html said on 2026-" in said
    code, _, complained = command("check", good, "--for", "nova-lite")
    assert code == 1
    assert "takes bedrock-conversation" in complained
    out = tmp_path / "nova.jsonl"
    assert command("convert", good, "--to", "bedrock-conversation", out)[0] == 0
    assert command("check", out, "--for", "nova-lite")[0] == 0
    code, _, complained = command("check", good, "--for", "nova-light")
    assert (code, "Did you mean nova-lite?" in complained) == (1, True)


def test_converting_says_what_was_written_and_what_was_left_out(command, bad, tmp_path):
    out = tmp_path / "o.jsonl"
    code, _, complained = command("convert", bad, "--to", "messages", out)
    assert code == 1
    assert "12 of 13 records cannot be written as messages, and nothing was written" in complained
    assert "--skip-bad" in complained
    assert not out.exists()
    code, said, complained = command("convert", bad, "--to", "messages", out, "--skip-bad")
    assert code == 0
    assert "13 read = 1 kept + 12 dropped; wrote" in said
    assert "line 2, column 2" in complained
    assert json.loads(out.read_text())["messages"][0] == {"role": "user", "content": "Hi"}
    code, _, complained = command("convert", bad, "--to", "messages", out, "--skip-bad")
    assert (code, "--force" in complained) == (1, True)
    assert command("convert", bad, "--to", "messages", out, "--skip-bad", "--force")[0] == 0


def test_what_would_be_lost_is_said(command, good, tmp_path):
    code, _, complained = command("convert", good, "--to", "text", tmp_path / "o.jsonl")
    assert code == 1
    assert complained.startswith("Who says what would be lost in a plain text.")


def test_statistics(command, good, bad):
    code, said, _ = command("stats", good)
    assert code == 0
    assert "assistant    100 with 500 characters" in said
    assert command("stats", bad)[0] == 1


def test_a_format_that_is_none(command, good):
    code, _, complained = command("check", good, "--format", "bedrock-conversion")
    assert code == 1
    assert "Did you mean bedrock-conversation?" in complained
