"""A language model as a feature extractor: what it makes of a text, as one vector.

The mean of the last hidden states, over the text's tokens. Measured on the service task with the
course's base (logistic regression, 64 to 2,048 labels): with or without the opening token the
accuracy differs by less than a point; 96 tokens are about a point better than 64.

No policy is asked here, for a list of texts brings no card: of governed data, ask `project.check`
yourself (`fmcourse.data.governance`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fmcourse import hardware
from fmcourse.errors import ModelError
from fmcourse.evaluate.windows import as_texts, document_start, encode, evaluating
from fmcourse.models import LanguageModel


def features(
    model: LanguageModel, texts: Sequence[str], *, tokens: int = 64, batch: int = 64
) -> torch.Tensor:
    """What a network makes of each text: its last hidden states, averaged. (texts, width) float32

    Args:
        texts: list of texts, or a data set with a column `text`.
        tokens: of a text that are read, at most.
        batch: texts a forward pass.

    Raises:
        DataError: no text, or an empty one.
        ModelError: a masked model, or fewer than two tokens.
    """
    if model.objective != "causal" or tokens < 2:
        raise ModelError("Features are read from a causal model, of at least two tokens a text.",
                         where=model.name, fix="A masked model would read the padding too.")
    rows = encoded(model, texts, tokens)
    found = torch.empty(len(rows), model.network.config.hidden_size)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with evaluating(model.network), hardware.detect().autocast():
        for start in range(0, len(order), batch):
            some = order[start:start + batch]
            inputs = padded([rows[i] for i in some], model.device)
            found[some] = pooled(model.network.model, **inputs).float().cpu()
    return found


def pooled(body: nn.Module, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean over a text's tokens of the last hidden states. (texts, time) → (texts, width)

    Padding is on the right, where no position of a causal network can see it. The opening token
    is left out: it is the same in every text.
    """
    hidden = body(input_ids=ids, use_cache=False).last_hidden_state  # (texts, time, width)
    place = torch.arange(ids.shape[1], device=ids.device)
    real = (place > 0) & (place < lengths[:, None])  # (texts, time)
    return (hidden * real[:, :, None]).sum(1) / real.sum(1, keepdim=True)


def forward_flops(model: LanguageModel, context: int) -> float:
    """Operations to read one token: 2 for each weight, 2 · layers · width · context to attend.

    A third of `flops_per_token` (a backward pass costs two forward ones), and without the output
    layer, which a classifier doesn't use; the token table is looked up and not multiplied.
    """
    body, config = model.network.model, model.network.config
    table = model.network.get_input_embeddings().weight.numel()
    weights = sum(p.numel() for p in body.parameters()) - table
    return 2 * weights + 2 * config.num_hidden_layers * config.hidden_size * context


def encoded(model: LanguageModel, texts: Sequence[str], tokens: int) -> list[list[int]]:
    """Token ids of each text, the opening one first, cut to so many."""
    bos = document_start(model)
    return [[bos, *row[:tokens - 1].tolist()] for row in encode(model.tokenizer, as_texts(texts))]


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> dict[str, torch.Tensor]:
    """Rows as one tensor (texts, longest), filled up on the right, and their lengths."""
    ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return {"ids": ids.to(device), "lengths": torch.tensor([*map(len, rows)], device=device)}
