"""How fast completions are sampled for reinforcement learning: ours, `generate`, TRL's GRPOTrainer.

    python benchmarks/rollouts.py [base|smollm2]

The same prompts, as many completions of each, as many tokens at most, temperature 1, of a model
that was tuned to answer and so ends its turns. `models.roll_out` gives the tokens and their
log-probabilities; so does `generate`, with its scores kept, on weights of the same type; TRL's
trainer by its own `_generate_and_score_completions` (with a reward that costs nothing and no
reference model) gives the tokens alone: the log-probabilities would be those of its training pass.
Tokens count up to the end of a turn. In turn, three rounds; the first, which warms up, is left out.
Writes benchmarks/results/rollouts.json.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import torch
from datasets import Dataset

from fmcourse import data, hardware, models, store, train
from fmcourse.evidence.ledger import versions
from fmcourse.models import chat, compat

RESULTS = Path(__file__).with_name("results") / "rollouts.json"
PROMPTS, SAMPLES, TOKENS, ROUNDS = 16, 8, 48, 3


def ours(model: models.LanguageModel, prompts: list[str]) -> tuple[int, float]:
    """Tokens sampled, seconds."""
    began = time.perf_counter()
    made = models.roll_out(model, prompts, TOKENS, samples=SAMPLES, batch=PROMPTS * SAMPLES)
    return int(made.mask.sum()), time.perf_counter() - began


def generated(model: models.LanguageModel, prompts: list[str]) -> tuple[int, float]:
    """`generate`, its scores kept, on weights of the fast type as ours."""
    began = time.perf_counter()
    dtype = "bfloat16" if hardware.detect().dtype == "bfloat16" else "float32"
    fast = model.in_dtype(dtype)
    compat.attention(fast.network, "eager" if model.device.type == "cpu" else "sdpa")
    inputs = fast.left_padded(chat.chat_prompts(model, prompts))
    settings = compat.GenerationConfig(
        max_new_tokens=TOKENS, do_sample=True, temperature=1.0, top_k=0,
        pad_token_id=model.padding(), num_return_sequences=SAMPLES, eos_token_id=model.ends(),
        output_scores=True, return_dict_in_generate=True)
    with torch.no_grad(), compat.generating(fast.network, settings):
        made = fast.network.generate(**inputs, generation_config=settings)
        fast.network.compute_transition_scores(made.sequences, made.scores, normalize_logits=True)
    seconds = time.perf_counter() - began
    new = made.sequences[:, inputs["input_ids"].shape[1]:]
    over = torch.isin(new, torch.tensor(model.ends())).int()
    return int((over.cumsum(1) - over == 0).sum()), seconds  # up to the first end, and with it


class OfTRL:
    """TRL's trainer, asked for completions as a training step asks."""

    def __init__(self, model: models.LanguageModel, prompts: list[str]):
        from trl import GRPOConfig, GRPOTrainer

        self.rows = [{"prompt": [{"role": "user", "content": said}]}
                     for said in prompts for _ in range(SAMPLES)]
        settings = GRPOConfig(
            output_dir=tempfile.mkdtemp(), num_generations=SAMPLES, max_completion_length=TOKENS,
            per_device_train_batch_size=len(self.rows), report_to="none", disable_tqdm=True,
            temperature=1.0, beta=0.0, **hardware.detect().trainer_arguments())
        network = model.copy().network.train()
        self.trainer = GRPOTrainer(
            network, [lambda completions, **_: [float(len(said)) for said in completions]],
            settings, Dataset.from_list(self.rows[::SAMPLES]), processing_class=model.tokenizer)

    def __call__(self, *_: object) -> tuple[int, float]:
        began = time.perf_counter()
        with mock.patch.object(self.trainer, "log"):
            made = self.trainer._generate_and_score_completions(self.rows)
        mask = made["completion_mask"]
        return int(mask.sum()), time.perf_counter() - began


def main() -> None:
    """All three in turn; tokens a second, and ratios within a round."""
    compat.quiet()
    name = sys.argv[1] if len(sys.argv) > 1 else "base"
    model = train.instruct(models.load(name), data.task_records(rows=1000),
                           train.InstructRecipe(tokens=60_000), show_progress=False).model
    prompts = data.task_records(rows=40, part="validation")["instruction"][:PROMPTS]
    ways, found = {"ours": ours, "generate": generated, "TRL": OfTRL(model, prompts)}, []
    for turn in range(ROUNDS + 1):
        entry = {}
        for way, sample in ways.items():
            tokens, seconds = sample(model, prompts)
            entry[way] = {"tokens": tokens, "seconds": seconds, "tokens a second": tokens / seconds}
        speed = {way: entry[way]["tokens a second"] for way in ways}
        entry["ratio to generate"] = speed["ours"] / speed["generate"]
        entry["ratio to TRL"] = speed["ours"] / speed["TRL"]
        print(turn, entry, flush=True)
        found += [entry] if turn else []
    known = store.read_json(RESULTS) if RESULTS.exists() else {}
    store.write_json(RESULTS, {**known, name: {
        "prompts": PROMPTS, "samples": SAMPLES, "tokens at most": TOKENS, "rounds": found,
        "versions": versions(), "hardware": hardware.detect().as_record()}})


if __name__ == "__main__":
    main()
