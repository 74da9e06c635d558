"""`transformers serve` on a model of the course, asked by the client that everybody has."""

from __future__ import annotations

import socket

import openai
import pytest
import torch

from fmcourse import models, ship
from fmcourse.errors import ModelError
from fmcourse.ship import server

ASKED = [{"role": "user", "content": "Hi"}]


def greedy_reply(model: models.LanguageModel, tokens: int) -> str:
    """What the model itself says, always the likeliest token, without a server."""
    ids = model.tokenizer.apply_chat_template(
        ASKED, add_generation_prompt=True, return_tensors="pt", return_dict=True).input_ids
    with torch.no_grad():
        made = model.network.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                      max_new_tokens=tokens)
    return model.tokenizer.decode(made[0, ids.shape[1]:], skip_special_tokens=True)


def test_openais_client_streams_the_model_s_own_reply(exported, model):
    with ship.serving(exported) as running:
        client = openai.OpenAI(base_url=running.url, api_key="none", timeout=120)
        assert client.models.list()  # fails where the hub's cache is missing
        parts = list(client.chat.completions.create(
            model=running.model, messages=ASKED, stream=True, max_tokens=16, temperature=0))
        said = [part.choices[0].delta.content for part in parts if part.choices]
        assert sum(bool(text) for text in said) >= 2
        assert "".join(text or "" for text in said) == greedy_reply(model, 16)
        assert parts[-1].choices[0].finish_reason in ("length", "stop")
        port = int(running.url.split(":")[2].split("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex((server.HOST, port)) != 0  # it is stopped


def test_a_model_without_a_template_gets_one_and_loopback_is_all_it_hears(tmp_path):
    folder = ship.ready("base")
    assert (folder / "chat_template.jinja").is_file()
    assert ship.ready("base") == folder
    words = ship.command(folder, 8000)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert ship.environment(tmp_path)["HF_HUB_OFFLINE"] == "1"


def test_a_server_that_does_not_start_says_why(exported, monkeypatch):
    monkeypatch.setattr(server, "command", lambda folder, port: [
        server.sys.executable, "-c", "raise SystemExit('the port is taken')"])
    with pytest.raises(ModelError, match="the port is taken"), ship.serving(exported):
        pass
