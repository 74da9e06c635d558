"""llama.cpp itself opens what we write: the same tokens, and the same words, greedily chosen.

It is no dependency of the course: these tests want its `llama-server` on the PATH, or the package
`xllamacpp` (pip install xllamacpp), and are skipped where neither is.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from fmcourse import models, ship
from fmcourse.models import LanguageModel
from fmcourse.ship.server import HOST, free_port

BINARY, PACKAGE = shutil.which("llama-server"), importlib.util.find_spec("xllamacpp")
pytestmark = pytest.mark.skipif(
    not (BINARY or PACKAGE), reason="llama.cpp is not here: put llama-server on the PATH, or "
                                    "pip install xllamacpp")
TEXTS = ("The king of Israel said to the people: it is 12 o'clock.",
         "In 1984 the fox said:\n\n  12. Behold, it's a café (naïve) 3.14!  \n", "", " x", "\t\n\n",
         "They'll've said “no” — 100,000 times… 你好 🦊")
STARTS = ("The king said to the people", "In the beginning", "The river runs")
NEW = 40  # tokens
Ask = Callable[..., Any]


@contextmanager
def llama_cpp(path: Path) -> Iterator[Ask]:
    """llama.cpp's server with a model: ask(where, what) posts; all numbers in it are float32."""
    if BINARY:
        port = free_port()
        process = subprocess.Popen([
            BINARY, "-m", path, "--host", HOST, "--port", str(port), "-c", "512", "-t", "1",
            "-np", "1", "-fa", "off", "-ctk", "f32", "-ctv", "f32"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            yield asking(f"http://{HOST}:{port}")
        finally:
            process.kill()
            process.wait()
        return
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.cpuparams.n_threads, wanted.n_ctx, wanted.n_parallel, wanted.port = 1, 512, 1, 0
    wanted.cache_type_k = wanted.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    wanted.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(wanted)
    yield asking(server.listening_address)


def asking(url: str) -> Ask:
    def ask(where: str, **what: Any) -> Any:
        request = urllib.request.Request(f"{url}/{where}", json.dumps(what).encode(),
                                         {"Content-Type": "application/json"})
        for _ in range(600):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 503:  # it is loading
                    raise
            except urllib.error.URLError:
                pass
            time.sleep(0.1)
        raise AssertionError("llama.cpp does not answer")
    return ask


def greedy(model: LanguageModel, text: str) -> list[int]:
    """The likeliest token, again and again, as transformers has it."""
    ids = torch.tensor([model.tokenizer(text).input_ids])
    made = model.network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW,
                                  do_sample=False)
    return made[0, ids.shape[1]:].tolist()


def differences(model: LanguageModel, path: Path) -> list[str]:
    """The texts that llama.cpp cuts or continues otherwise than transformers."""
    found = []
    with llama_cpp(ship.write_gguf(model, path)) as ask:
        for text in TEXTS:
            cut = ask("tokenize", content=text, add_special=True, parse_special=True)["tokens"]
            found += [text] if cut != model.tokenizer(text).input_ids else []
        for text in STARTS:
            said = ask("completion", prompt=text, n_predict=NEW, temperature=0, cache_prompt=False,
                       return_tokens=True)
            wanted = greedy(model, text)
            ends = model.network.generation_config.eos_token_id
            if wanted[-1] in (ends if isinstance(ends, list) else [ends]):
                wanted = wanted[:-1]  # llama.cpp keeps that to itself
            same = (said["tokens"][:len(wanted)] == wanted and said["content"]
                    == model.tokenizer.decode(wanted, skip_special_tokens=True))
            found += [] if same else [text]
    return found


def test_it_reads_and_writes_as_our_base_does(tmp_path):
    base = models.with_chat(models.load("base", "cpu"))
    assert differences(base, tmp_path / "base.gguf") == []


@pytest.mark.data
@pytest.mark.slow
def test_it_reads_and_writes_as_smollm2_does(tmp_path):
    assert differences(models.load("smollm2", "cpu"), tmp_path / "smollm2.gguf") == []


def test_another_order_of_positions_would_be_seen(tmp_path, monkeypatch):
    """Breaks the mechanism: the words are others then."""
    from fmcourse.ship import gguf_file

    monkeypatch.setattr(gguf_file, "permuted", lambda rows, heads: rows)
    assert differences(models.load("base", "cpu"), tmp_path / "base.gguf") != []
