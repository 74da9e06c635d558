"""The small runs that chose the base model: optimiser and learning rate, size, vocabulary.

    python benchmarks/base_choices.py --out benchmarks/results/base-choices.json

Every arm of a group spends the same training FLOPs and is scored in bits per byte of validation
text (the test part is for results, not for choices), which compares models with different
vocabularies. A finished arm is kept in the file, so that the run can be stopped and goes on.
Quality and time are both printed: an optimiser's own work is not in the FLOPs but it is in the
seconds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fmcourse import data, evaluate, hardware, models, store, train
from fmcourse.evidence.ledger import versions

CONTEXT, BATCH = 256, 4096
OPTIMIZER_FLOPS, SHAPE_FLOPS = 1.5e13, 4e13
OPTIMIZERS = [(kind, rate) for kind in ("muon", "adamw") for rate in (1e-3, 3e-3, 8e-3)]
SIZES = ("3m", "7m", "12m")
VOCABULARIES = (4096, 16_384)  # 8,192 is the 7m arm of the sizes


def arms() -> list[dict]:
    """What to try: size, vocabulary, optimiser, learning rate and the group's compute."""
    plain = {"size": "7m", "vocabulary": 8192, "optimizer": "muon", "learning_rate": 3e-3}
    return [*({**plain, "group": "optimiser", "optimizer": kind, "learning_rate": rate,
               "flops": OPTIMIZER_FLOPS} for kind, rate in OPTIMIZERS),
            *({**plain, "group": "size", "size": size, "flops": SHAPE_FLOPS} for size in SIZES),
            *({**plain, "group": "vocabulary", "vocabulary": count, "flops": SHAPE_FLOPS}
              for count in VOCABULARIES)]


def measure(arm: dict, corpus, test) -> dict:
    """Train one arm and score it."""
    tokenizer = models.train_tokenizer(corpus["text"][:], arm["vocabulary"])
    model = models.build(arm["size"], tokenizer, context=CONTEXT)
    budget = int(arm["flops"] / train.flops_per_token(model, CONTEXT))
    recipe = train.PretrainRecipe(
        tokens=budget, context=CONTEXT, batch_tokens=BATCH, micro_batch_tokens=BATCH,
        optimizer=arm["optimizer"], learning_rate=arm["learning_rate"],
        compile=hardware.detect().compiler)
    run = train.pretrain(model, data.tokens(corpus, tokenizer), recipe, name=str(arm))
    return {**arm, "parameters": model.parameters, "tokens": run.cost.tokens,
            "seconds": run.cost.seconds,
            "bits per byte": evaluate.bits_per_byte(run.model, test)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    found = store.read_json(out)["arms"] if out.exists() else []
    corpus, test = data.general()["train"], data.held_out(characters=150_000, part="validation")
    for arm in arms():
        if any(arm.items() <= entry.items() for entry in found):
            continue
        found.append(measure(arm, corpus, test))
        print({key: found[-1][key] for key in ("group", "size", "vocabulary", "optimizer",
               "learning_rate", "seconds", "bits per byte")}, flush=True)
        store.write_json(out, {"arms": found, "hardware": hardware.detect().as_record(),
                               "versions": versions()})


if __name__ == "__main__":
    main()
