"""H1: the first step of human feedback is supervised: the base imitates demonstrations."""

from __future__ import annotations

from fmcourse import models, store
from fmcourse.evidence.experiments import feedback
from fmcourse.evidence.experiments.shared import Outcome


def demonstrated(seed: int, tokens: int = feedback.TOKENS, asked: int = 600) -> Outcome:
    """The base, the base tuned on demonstrations, and a control of the same replies, misplaced.

    All are asked for what is new, in the same chat template. The control has read the same prompts
    and the same replies, each below another prompt: what it earns is form.

    Args:
        tokens: budget of either tuning.
        asked: prompts of the test.
    """
    prompts = feedback.questions(asked, seed, "test")
    arms, says = {}, {}
    for name, model in {"base": models.load("base"),
                        "tuned on demonstrations": feedback.assistant(seed, tokens),
                        "tuned on misplaced replies": feedback.assistant(seed, tokens, True),
                        }.items():
        said = feedback.say(model, prompts, seed)
        arms[name] = feedback.judged(prompts, said)
        says[name] = said.replies[:4]
    return Outcome(arms, {"prompts": store.sha256_json(prompts.to_list()),
                          "base": models.load("base").sha256()},
                   {"prompts": prompts["prompt"][:4], "says": says})
