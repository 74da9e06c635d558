"""D1 and D2: one model trained on dirty and on curated text; on copies and on each text once."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from fmcourse import data, evaluate, models
from fmcourse.data import curation
from fmcourse.evidence.experiments.plain import plain
from fmcourse.evidence.experiments.shared import Outcome, trained
from fmcourse.models import LanguageModel

BITS, AWS, PASSAGES = "held-out bits per byte", "AWS: bits per byte", "passages: bits per byte"
MEMORISED, LEAKED = "copied texts learnt by heart", "bits per byte of leaked test texts"
RATE = 2e-3  # of continued pre-training, at its peak
RAW, REPAIRED, CURATED = "raw", "repaired only", "curated"
COPIES, EXACT, ONCE = "with copies", "exact copies removed", "each text once"


def curated(seed: int, size: str = "3m", tokens: int = 400_000, characters: int = 4_000_000,
            held: int = 40_000) -> Outcome:
    """The same network for the same steps on raw text, on the same text repaired, and on curated.

    Judged on held-out text as a reader would have it: AWS documentation of other services, and
    encyclopaedia passages, of which none is in the raw text either: what leaks into that are other
    passages. Repairing alone tells how much is owed to what was dropped. The budget is less than
    one pass, so that no arm repeats itself: what differs is what the tokens are, not how many texts
    there are. The scorer of quality has read passages that are in the raw text, too; the filters
    keep English prose, and English prose is what is judged.

    Args:
        size, tokens: of the network, and its training budget.
        characters: of raw text.
        held: characters of each held-out text.
    """
    base = models.load("base")
    texts = {AWS: data.excerpt(data.domain("aws")["test"], held, seed),
             PASSAGES: data.held_out(seed, held, source="boolq-passages")}
    leaking = data.held_out(seed, 20 * held, "validation", "boolq-passages")
    dirty = curation.raw(characters, seed, leaking)
    steps = curation.standard([*leaking, *texts[PASSAGES]], score=evaluate.word_order_score(base))
    sets = {RAW: curation.curate(dirty, ()), REPAIRED: curation.curate(dirty, curation.repairs()),
            CURATED: curation.curate(dirty, steps)}
    arms = {}
    for arm, left in sets.items():
        model = trained(models.build(size, base.tokenizer, seed=seed),
                        data.tokens(left.kept, base.tokenizer), tokens, seed, arm).model
        bits = evaluate.bits_per_byte(model, texts)
        arms[arm] = {**bits, BITS: fmean(bits.values())}
    graded = curation.grade(sets[CURATED], dirty)
    return Outcome(arms, {"raw": data.card(dirty).sha256, "base": base.sha256(),
                          CURATED: data.card(sets[CURATED].kept).sha256},
                   {"funnel": sets[CURATED].table().to_dict("list"),
                    "reasons": sets[CURATED].reasons().to_dict("list"),
                    "grades": plain(graded),
                    "size": size, "tokens": tokens})


def duplicates(seed: int, tokens: int = 120_000, characters: int = 250_000, copied: int = 16,
               copies: int = 32, held: int = 40_000) -> Outcome:
    """Continued pre-training on texts there many times, and on each of them once.

    Paragraphs of AWS documentation, of which `copied` come again so many times word for word, and
    as many times with a word changed; some of a test leak in the same way. An arm without the exact
    copies alone tells what the near ones do. The control for memorising is the last arm: it reads
    the same texts, once in each pass.

    Args:
        tokens: training budget.
        characters: of paragraphs.
        copied: paragraphs that come again; half as many test texts leak.
        copies: of each, and again as many near ones.
        held: characters of held-out text, of other services.
    """
    base, domain = models.load("base"), data.domain("aws")
    corpus = curation.curate(data.sized(domain["train"], characters, seed), [
        curation.exact_duplicates(), curation.near_duplicate_texts()]).kept
    again = of_length(corpus["text"][:], base)[:copied]
    test = data.excerpt(domain["test"], held, seed)
    leaking = of_length(data.excerpt(domain["validation"], 10 * held, seed), base)[:copied // 2]
    dirty = curation.plant_copies(corpus, [*again, *leaking], copies, copies, seed)
    steps = [curation.exact_duplicates(), curation.near_duplicate_texts(),
             curation.decontaminated(leaking)]
    sets = {COPIES: (), EXACT: steps[:1], ONCE: steps}
    arms: dict[str, dict[str, Any]] = {}
    for arm, chosen in sets.items():
        left = curation.curate(dirty, chosen)  # in the end, each text once
        model = trained(base, data.tokens(left.kept, base.tokenizer), tokens, seed, arm,
                        learning_rate=RATE).model
        arms[arm] = {BITS: evaluate.bits_per_byte(model, test),
                     MEMORISED: float(evaluate.memorised(model, again).mean()),
                     LEAKED: evaluate.bits_per_byte(model, leaking)}
    return Outcome(arms, {"corpus": data.card(corpus).sha256, COPIES: data.card(dirty).sha256,
                          "base": base.sha256()},
                   {"funnel": left.table().to_dict("list"), "tokens": tokens,
                    "near copies": len(dirty) - len(corpus) - copies * (len(again) + len(leaking)),
                    "copied": again[0]})


def of_length(texts: Sequence[str], base: LanguageModel, least: int = 60, most: int = 120
              ) -> list[str]:
    """The texts of so many tokens: enough to be nearly the same when a word is changed, few enough
    to repeat."""
    return [text for text in texts
            if least <= len(base.tokenizer(text, add_special_tokens=False)["input_ids"]) <= most]
