"""Which optimiser, and which learning rate: same model, same rows, same tokens.

Run: python benchmarks/optimizer.py --tokens 500000
Prints the final loss (nats a token, mean of the last twentieth) and seconds of each arm.
"""

import argparse

from fmcourse import data, models, train

ARMS = [("muon", 3e-3), ("muon", 8e-3), ("adamw", 3e-3), ("muon", 1.5e-3), ("adamw", 8e-3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=500_000)
    parser.add_argument("--size", default="7m")
    options = parser.parse_args()
    corpus = data.general()["train"]
    tokenizer = models.train_tokenizer(corpus["text"][:])
    rows = data.tokens(corpus, tokenizer)
    for optimizer, rate in ARMS:
        recipe = train.PretrainRecipe(tokens=options.tokens, batch_tokens=4096, compile=False,
                                      micro_batch_tokens=4096, optimizer=optimizer,
                                      learning_rate=rate)
        run = train.pretrain(models.build(options.size, tokenizer), rows, recipe,
                             show_progress=False)
        print(f"{optimizer:6} learning rate {rate:<7g} loss {run.metrics['loss']:.3f} "
              f"in {run.cost.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
