"""Kill a pre-training run at random moments, start it again each time, and compare the end.

    python benchmarks/kill.py --kills 20

A run of a small model, each session a process of its own, is ended by SIGKILL at moments drawn by
seed: at random steps, in the middle of writing a checkpoint, and after the last step while the
result is being saved. The final loss, weights, history and observations must then equal, to the
last bit, those of a run that nobody disturbed. Prints every kill and both results.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = 401
SHARES = tuple(step / STEPS for step in range(STEPS + 1))
MOMENT, CHECKPOINT, END = "at a random moment", "writing a checkpoint", "saving the result"


def work(folder: Path, beacon: Any) -> None:
    """One session of the run; `beacon` tells the killer how far it is."""
    import torch

    from fmcourse import data, models, sources, train

    torch.set_num_threads(1)
    texts = sources.load("python-docs", limit=60)
    tokenizer = models.train_tokenizer(texts["text"][:], vocabulary=512, context=32)
    model = models.build(models.Shape(width=48, layers=2, inner=96, heads=2), tokenizer, context=32)
    recipe = train.PretrainRecipe(
        tokens=STEPS * 256, context=32, batch_tokens=256, micro_batch_tokens=128,
        learning_rate=1e-2, checkpoint_minutes=0.003, compile=False)

    def look(model: models.LanguageModel, share: float) -> dict[str, float]:
        beacon.value = share
        return {"norm": float(model.network.lm_head.weight.norm())}

    train.pretrain(model, data.tokens(texts, tokenizer), recipe, folder=folder, observe=look,
                   observe_at=SHARES, show_progress=False)


def half_written(folder: Path) -> list[str]:
    """Checkpoints that lack the mark of a whole one."""
    return [path.name for path in (folder / "checkpoints").glob("checkpoint-*")
            if not (path / "complete.json").exists()]


def session(context: Any, folder: Path, beacon: Any) -> Any:
    process = context.Process(target=work, args=(folder, beacon))
    process.start()
    return process


def kill(process: Any, folder: Path, beacon: Any, share: float, kind: str, pause: float) -> str:
    """Wait until the run is past `share` and doing what `kind` says; end it; say where it was."""
    before = set(half_written(folder))
    while process.is_alive() and beacon.value < share:
        time.sleep(0.0005)
    if kind == CHECKPOINT:  # those from an earlier kill do not count
        while process.is_alive() and beacon.value < 1 and not set(half_written(folder)) - before:
            pass
    time.sleep(pause)
    finished = (folder / "run.json").exists()
    process.kill()
    process.join()
    if process.exitcode != -9 or finished:
        raise SystemExit(f"The run was over (exit code {process.exitcode}) before it was killed.")
    return f"step {round(beacon.value * STEPS):4}"


def moments(kills: int, seed: int) -> list[tuple[float, str, float]]:
    """When to kill: share of the run, what it is to be doing, and seconds to wait then."""
    draw = random.Random(seed)
    shares = sorted(draw.uniform(0.01, 0.97) for _ in range(kills - 1))
    kinds = [CHECKPOINT if i % 2 else MOMENT for i in range(kills - 1)]
    plan = [(share, kind, draw.uniform(0, 0.004 if kind == CHECKPOINT else 0.05))
            for share, kind in zip(shares, kinds, strict=True)]
    return [*plan, (1.0, END, draw.uniform(0, 0.002))]


def killed_run(context: Any, folder: Path, kills: int, seed: int) -> int:
    """Run and kill until the plan is done, then to the end; how many checkpoints were cut off."""
    cut, beacon = 0, context.RawValue("d", 0.0)  # no lock, which a kill could leave held
    for number, (share, kind, pause) in enumerate(moments(kills, seed), 1):
        beacon.value = 0.0
        where = kill(session(context, folder, beacon), folder, beacon, share, kind, pause)
        halves = half_written(folder)
        cut += bool(halves)
        print(f"kill {number:2}: {where}, {kind}; left half-written: "
              f"{', '.join(halves) or 'nothing'}", flush=True)
    finish(session(context, folder, beacon))
    return cut


def finish(process: Any) -> None:
    process.join()
    if process.exitcode:
        raise SystemExit(f"The run failed with exit code {process.exitcode}.")


def compare(folder: Path, other: Path) -> bool:
    """Print both results; whether they are equal to the last bit."""
    from fmcourse.train import Run

    runs = {"undisturbed": Run.load(folder), "killed": Run.load(other)}
    for name, run in runs.items():
        print(f"{name:12} final loss {run.metrics['loss']!r}  weights {run.model.sha256()[:16]}")
    first, second = runs.values()
    columns = ["step", "tokens", "loss", "learning_rate", "grad_norm"]
    return (first.metrics["loss"] == second.metrics["loss"]
            and first.model.sha256() == second.model.sha256()
            and first.history[columns].equals(second.history[columns])
            and first.observations.equals(second.observations)
            and first.history["step"].iloc[-1] == STEPS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", choices=["spawn", "fork"], default="spawn",
                        help="fork starts sessions faster; spawn gives each a fresh interpreter")
    options = parser.parse_args()
    began, context = time.perf_counter(), multiprocessing.get_context(options.start)
    if options.start == "fork":
        import fmcourse.train  # noqa: F401  imported once, before the first session
    with tempfile.TemporaryDirectory(prefix="fmcourse-kill-") as place:
        os.environ.update(FMCOURSE_HOME=place, FMCOURSE_DEVICE="cpu")
        folders = Path(place, "undisturbed"), Path(place, "killed")
        beacon = context.RawValue("d", 0.0)
        finish(session(context, folders[0], beacon))
        cut = killed_run(context, folders[1], options.kills, options.seed)
        equal = compare(*folders)
    print(f"{options.kills} kills, {cut} of them inside a checkpoint; {STEPS} steps; "
          f"{time.perf_counter() - began:.0f} s; {'equal' if equal else 'NOT EQUAL'}")
    if not equal:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
