"""How fast is pre-training here, beside transformers' Trainer as it comes?

Same model, same rows, same batch, one process, one run. Run on an otherwise idle machine:

    python benchmarks/throughput.py --size 12m --steps 40

Tokens a second are the median over steps after the first quarter, so that start-up and compilation
are left out on both sides (their seconds are printed too). The share of peak is training FLOPs
(`train.flops_per_token`) over the peak of a bfloat16 matrix product on this device, the median of
three measurements before, between and after.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch

from fmcourse import data, hardware, models, store, train
from fmcourse.evidence.ledger import versions
from fmcourse.models import compat


class Clock(compat.TrainerCallback):
    """Seconds of every optimiser step."""

    def __init__(self):
        self.seconds, self.last = [], time.perf_counter()

    def on_step_end(self, *args, **kwargs):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


class Rows(torch.utils.data.Dataset):
    """The library's rows in the form the Trainer expects: input_ids and labels."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        ids = self.rows[index]["tokens"][:-1]
        return {"input_ids": ids, "labels": ids}


def ours(size, rows, recipe, tokenizer):
    """The library's own pre-training."""
    model = models.build(size, tokenizer, context=recipe.context)
    run = train.pretrain(model, rows, recipe, show_progress=False)
    steps = run.history["tokens_per_second"].tolist()
    return recipe.batch_tokens, [recipe.batch_tokens / speed for speed in steps], run


def theirs(size, rows, recipe, tokenizer, steps):
    """transformers' Trainer with its defaults; only batch, budget and learning rate are given."""
    network = models.build(size, tokenizer, context=recipe.context).network
    count = recipe.micro_batch_tokens // recipe.context
    accumulate = recipe.batch_tokens // recipe.micro_batch_tokens
    packed = data.PackedRows(rows, recipe.context, steps * count * accumulate, recipe.seed)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        trainer = compat.Trainer(
            model=network, train_dataset=Rows(packed), callbacks=[clock],
            args=compat.TrainingArguments(
                folder, per_device_train_batch_size=count, max_steps=steps, report_to="none",
                gradient_accumulation_steps=accumulate, learning_rate=recipe.learning_rate,
                save_strategy="no", disable_tqdm=True,
                logging_steps=5))
        trainer.remove_callback(compat.PrinterCallback)
        trainer.train()
    loss = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry][-1]
    return clock.seconds, loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="12m", choices=list(models.SIZES))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-tokens", type=int, default=8192)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    corpus = data.general()["train"]
    tokenizer = models.train_tokenizer(corpus["text"][:])
    rows = data.tokens(corpus, tokenizer)
    recipe = train.PretrainRecipe(
        tokens=options.steps * options.batch_tokens, context=options.context,
        batch_tokens=options.batch_tokens, compile=hardware.detect().compiler)
    peaks = [hardware.matmul_peak("bfloat16", device=hardware.detect().device, n=2048)]
    their_steps = max(8, options.steps // 4)
    # theirs first: our settings of threads and memory last as long as the process
    slow, their_loss = theirs(options.size, rows, recipe, tokenizer, their_steps)
    peaks.append(hardware.matmul_peak("bfloat16", device=hardware.detect().device, n=2048))
    batch, seconds, run = ours(options.size, rows, recipe, tokenizer)
    peaks.append(hardware.matmul_peak("bfloat16", device=hardware.detect().device, n=2048))
    peak = statistics.median(peaks)  # neighbours on the machine move it by a tenth
    fast = batch / statistics.median(seconds[len(seconds) // 4:])
    plain = batch / statistics.median(slow[len(slow) // 4:])
    flops = train.flops_per_token(run.model, options.context)
    same = float(run.history["loss"].iloc[their_steps - 1])
    result = {
        "size": options.size, "parameters": run.cost.parameters, "context": options.context,
        "batch tokens": batch,
        "fmcourse tokens/s": fast, "Trainer tokens/s": plain, "ratio": fast / plain,
        "peak bf16 GFLOP/s": peak / 1e9,
        "peaks before, between, after": [value / 1e9 for value in peaks],
        "share of peak": fast * flops / peak,
        "Trainer share of peak": plain * flops / peak, "start-up seconds": seconds[0],
        f"fmcourse loss at {their_steps} steps": same,
        f"Trainer loss at {their_steps} steps": their_loss,
        "hardware": hardware.detect().as_record(), "versions": versions()}
    print(json.dumps(result, indent=1))
    if options.out:
        store.write_json(options.out, result)


if __name__ == "__main__":
    main()
