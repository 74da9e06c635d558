"""What instruction tuning costs by optimiser and by loss: seconds, and what was learnt for them.

    python benchmarks/tuning.py

The base is tuned on sixteen families of tasks, on as many tokens each time; scored are the replies
to held-out texts (validation part), in bits per byte. Then the same rows with TRL's own loss in
place of ours. Two rounds, the order turned around in the second. Writes
benchmarks/results/tuning.json.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from fmcourse import data, evaluate, hardware, models, store, train
from fmcourse.data import tasks
from fmcourse.evidence.ledger import versions
from fmcourse.models import compat
from fmcourse.train.instruct import Instructor

RESULTS = Path(__file__).with_name("results") / "tuning.json"
TOKENS = 100_000
ARMS = [{"optimizer": kind, "learning_rate": rate, "batch_tokens": batch, "loss": "ours"}
        for kind, rate, batch in (("adamw", 1e-3, 1024), ("adamw", 2e-3, 1024),
                                  ("muon", 1e-3, 1024), ("muon", 2e-3, 1024),
                                  ("muon", 2e-3, 2048))]
ARMS.append({**ARMS[0], "loss": "TRL's"})


def measure(arm: dict, base, records, held) -> dict:
    """Tune once by one arm."""
    settings = {key: value for key, value in arm.items() if key != "loss"}
    recipe = train.InstructRecipe(tokens=TOKENS, **settings)
    loss = (compat.SFTTrainer if arm["loss"] == "TRL's" else Instructor).compute_loss
    with mock.patch.object(Instructor, "compute_loss", loss):
        run = train.instruct(base, records, recipe, show_progress=False)
    return {**arm, "seconds": run.cost.seconds,
            "tokens a second": run.cost.tokens / run.cost.seconds,
            "training loss": run.metrics["loss"],
            "held-out bits per byte": evaluate.reply_bits_per_byte(run.model, held)}


def main() -> None:
    """Every arm twice, results with their ratios to the first arm of the same round."""
    compat.quiet()
    names = list(tasks.ladder()[16])
    base, records = models.load("base"), data.task_records(names, 6_000)
    held, found = data.task_records(names, 160, part="validation"), []
    for turn, arms in enumerate((ARMS, ARMS[::-1])):
        found += [{"round": turn, **measure(arm, base, records, held)} for arm in arms]
        first = next(entry for entry in found if entry["round"] == turn
                     and ARMS[0].items() <= entry.items())
        for entry in found[-len(arms):]:
            entry["seconds, of the first arm's"] = entry["seconds"] / first["seconds"]
            print(entry, flush=True)
    store.write_json(RESULTS, {"tokens": TOKENS, "arms": found, "versions": versions(),
                               "hardware": hardware.detect().as_record()})


if __name__ == "__main__":
    main()
