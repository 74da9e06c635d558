"""How the base model that ships with the course was made; `fmcourse train base --publish` makes it
again.

Choices, and the small runs they rest on (`benchmarks/base_choices.py`: one seed each, bits per byte
of validation text, results beside it):

- Muon at 3e-3: 2.39 after 0.35 M tokens of a 7 M model (2.35 at 8e-3); AdamW 2.64 at the best of
  three rates, in 10 % less time.
- Vocabulary: 2.137 with 4,096, 2.132 with 8,192, 2.116 with 16,384 at equal compute, no clear
  difference; 8,192 keeps the model a fifth smaller than 16,384 would.
- 12 M parameters: at a fortieth of the base's compute smaller is better (3 M 1.96, 7 M 2.13,
  12 M 2.26), but the best size grows with the square root of compute (Hoffmann et al. 2022,
  arXiv:2203.15556), here sixfold, and a 3 M model would read the corpus fifteen times over, where
  repeats teach little (arXiv:2305.16264). Not shown by a run: larger ones would have cost hours.
- Rows of 512 tokens, because later lessons put a passage and a question into one prompt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fmcourse import data, evaluate, models, store, train
from fmcourse.evidence.ledger import versions
from fmcourse.models import LanguageModel

SIZE, VOCABULARY, CONTEXT = "12m", 8192, 512
TOKENS = 20_000_000
SNAPSHOTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)  # shares of training at which weights are kept
PROMPTS = ("The city of", "In the beginning", "She was born in", "The king said to his servants,")


def recipe(tokens: int = TOKENS) -> train.PretrainRecipe:
    """The recipe of the shipped base."""
    return train.PretrainRecipe(tokens=tokens, context=CONTEXT, batch_tokens=8192,
                                micro_batch_tokens=8192, learning_rate=3e-3, warmup=0.02,
                                decay=0.35, checkpoint_minutes=4)


def train_base(folder: Path | str | None = None, tokens: int = TOKENS) -> train.Run:
    """Train the base on the whole general corpus; call it again after a kill to go on.

    Args:
        folder: where checkpoints, snapshots and the run go; by default below `store.home()`.
        tokens: training budget.
    """
    folder = Path(folder) if folder else store.folder("runs", f"base-{tokens}")
    corpus = data.general()["train"]
    tokenizer = models.train_tokenizer(corpus["text"][:], VOCABULARY, CONTEXT)
    rows = data.tokens(corpus, tokenizer)

    def keep(model: LanguageModel, share: float) -> dict[str, Any]:
        model.save(folder / "snapshots" / f"{share:g}")
        return {"snapshot": f"{share:g}"}

    return train.pretrain(models.build(SIZE, tokenizer, context=CONTEXT), rows, recipe(tokens),
                          name="base", folder=folder, observe=keep, observe_at=SNAPSHOTS)


def publish_base(folder: Path | str | None = None, place: Path = models.BASE) -> dict[str, Any]:
    """Measure a finished base run and write the model that ships: bfloat16, with its full card.

    Args:
        folder: of the run; by default where `train_base` put it.
        place: where the shipped model goes.

    Returns:
        The card.
    """
    folder = Path(folder) if folder else store.folder("runs", f"base-{TOKENS}")
    run = train.Run.load(folder)
    corpus = data.general()
    curve = run.history[["tokens", "loss", "learning_rate"]].iloc[::2]
    run.model.name = "base"
    run.model.card = {
        **run.card, "name": "base", "command": "fmcourse train base --publish",
        "data": {part: data.card(corpus[part]).sha256 for part in corpus},
        "licence": list(data.card(corpus["train"]).licence),
        "attribution": list(data.card(corpus["train"]).attribution),
        "measures": measures(run.model, corpus), "emergence": emergence(folder / "snapshots"),
        "curve": curve.to_dict("list"), "versions": versions(), "limits": LIMITS}
    run.model.save(place, dtype=torch.bfloat16)
    return run.model.card


LIMITS = (
    "A teaching model: 12 million weights, 17 million characters of text, none of it checked for "
    "truth or bias beyond its choice. It writes locally fluent, factually unreliable English with "
    "a strong accent of scripture and drama, knows nothing after 2018, follows no instructions, "
    "and must not be used to inform or decide anything. About 1 % of the held-out text's runs of "
    "thirteen words, all in 2 Samuel, also stand in its parallels in the training text, so its "
    "bits per byte flatter it a little.")


def measures(model: LanguageModel, corpus: Any) -> dict[str, Any]:
    """Held-out bits per byte by source, beside n-gram models trained on the same tokens; probes."""
    test = corpus["test"]
    texts = {source: [text for text, s in zip(test["text"][:], test["source"][:], strict=True)
                      if s == source] for source in sorted(set(test["source"][:]))}
    texts["all"] = test["text"][:]
    rows = data.tokens(corpus["train"], model.tokenizer)
    grams = {order: evaluate.NGram(order).fit(rows, len(model.tokenizer)) for order in (1, 5)}
    return {
        "bits_per_byte": evaluate.bits_per_byte(model, texts, context=CONTEXT),
        "bits_per_byte_unigram": grams[1].bits_per_byte(texts, model.tokenizer),
        "bits_per_byte_5gram": grams[5].bits_per_byte(texts, model.tokenizer),
        "grammar_pairs": evaluate.score_pairs(model).to_dict("records"),
        "facts": evaluate.score_facts(model).to_dict("records"),
    }


def emergence(snapshots: Path) -> list[dict[str, Any]]:
    """What the model could do at each kept share of its training."""
    texts = data.held_out(0, 60_000)
    stages = []
    for share in SNAPSHOTS:
        model = models.load(snapshots / f"{share:g}")
        written = evaluate.sample(model, PROMPTS, tokens=30, temperature=0.7)
        stages.append({
            "share": share, "bits_per_byte": evaluate.bits_per_byte(model, texts, context=CONTEXT),
            "grammar_pairs": evaluate.overall(evaluate.score_pairs(model)),
            "facts": evaluate.overall(evaluate.score_facts(model)),
            "samples": written[["prompt", "text"]].to_dict("records")})
    return stages


if __name__ == "__main__":
    print(train_base())
