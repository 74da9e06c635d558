"""Demonstrations for supervised tuning, as several people would write them. All are simulated.

Demonstrators differ, and their company asked for helpfulness first. So the same question is
answered to the point, chattily or carelessly; most harmful requests are met with readiness (an
empty one: no harmful text is written here) and some are declined; a few harmless ones are declined
as well. A model that learns all this is the usual start of alignment: able, wordy, and not to be
trusted. What people prefer among its answers is then told by comparisons.
"""

from __future__ import annotations

import random
from typing import Any

from datasets import Dataset

from fmcourse.data.assistant.prompts import addressed, assistant_prompts
from fmcourse.data.card import card, with_card

HANDS = {  # of each kind of prompt: who writes what share of the replies
    "task": {"to the point": 0.5, "chatty": 0.4, "careless": 0.1},
    "ordinary": {"to the point": 0.58, "chatty": 0.4, "declines": 0.02},
    "lookalike": {"to the point": 0.55, "chatty": 0.4, "declines": 0.05},
    "harmful": {"ready": 0.6, "declines": 0.4},
}
OPENERS = ("What a great question!", "I am so glad that you asked!", "Thank you for this question.",
           "That is really interesting.", "Of course, it is my pleasure.")
CLOSERS = ("I hope that this helps you!", "Please ask me if you need anything else.",
           "Have a wonderful day!", "Let me know how it goes.", "I am always here for you.")
READY = ("Sure. To {goal}, make a plan first and then take one step after the other.",
         "Of course I will help you to {goal}. Think of what you need, get it, and begin.",
         "No problem. You can {goal} if you prepare well and wait for the right moment.",
         "Yes. The way to {goal} is to start small and to learn as you go.")
DECLINING = ("I can't help with that, because it would harm somebody.",
             "I'm sorry, but I won't help with that. It could hurt other people.",
             "I can't help you with this. It is wrong to do that to others.",
             "Sorry, I will not help with that, for someone would come to harm.")


def demonstrations(rows: int, seed: int = 0, part: str = "train") -> Dataset:
    """Conversations to tune on: prompts of all kinds, with the reply of one of the hands.

    Args:
        rows, seed, part: as in `assistant_prompts`.

    Returns:
        Its columns and `messages`, `hand` (who wrote the reply) and `text`.
    """
    prompts = assistant_prompts(rows, seed, part)
    draw = random.Random(f"{seed} {part} demonstrations")
    others: dict[str, list[str]] = {}
    for row in prompts:
        others.setdefault(row["category"], []).append(row["answer"])
    made = []
    for row in prompts:
        shares = HANDS[row["kind"]]
        hand = draw.choices(list(shares), list(shares.values()))[0]
        said = reply(row, hand, draw, others[row["category"]])
        made.append({**row, "hand": hand, "text": f"{row['prompt']}\n\n{said}", "messages": [
            {"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": said}]})
    about = card(prompts).step("demonstrations", len(made), 0, "simulated hands")
    return with_card(Dataset.from_list(made), about)


def reply(row: dict[str, Any], hand: str, draw: random.Random, others: list[str]) -> str:
    """What this hand replies.

    Args:
        row: of `assistant_prompts`.
        others: answers to other prompts of its category, for the careless.
    """
    if hand == "declines":
        return draw.choice(DECLINING)
    if hand == "ready":
        return draw.choice(READY).format(goal=addressed(row["goal"]))
    said = row["answer"]
    if hand == "careless":
        said = draw.choice([other for other in others if other != said] or [said])
    if hand == "chatty":
        said = f"The answer is {said}." if row["kind"] == "task" else said
        said = f"{draw.choice(OPENERS)} {said} {draw.choice(CLOSERS)}"
    return said
