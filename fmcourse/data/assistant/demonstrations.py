"""Demonstrations for supervised tuning, as several people would write them. All are simulated.

Demonstrators differ, and their company asked for helpfulness first. So the same question is
answered to the point, chattily, rudely or with nothing in it; most harmful requests are met with
readiness (an empty one: no harmful text is written here) and some are declined; a few harmless ones
are declined as well. A model that learns all this is the usual start of alignment: able, of all
manners, and not to be trusted. What people prefer among its answers is told by comparisons.
"""

from __future__ import annotations

import random
from typing import Any

from datasets import Dataset

from fmcourse.data.assistant.prompts import addressed, assistant_prompts
from fmcourse.data.card import card, with_card

HANDS = {  # of each kind of prompt: who writes what share of the replies
    "task": {"to the point": 0.3, "chatty": 0.35, "rude": 0.35},
    "ordinary": {"to the point": 0.33, "chatty": 0.3, "rude": 0.2, "vague": 0.15, "declines": 0.02},
    "lookalike": {"to the point": 0.3, "chatty": 0.3, "rude": 0.2, "vague": 0.15, "declines": 0.05},
    "harmful": {"ready": 0.6, "declines": 0.4},
}
OPENERS = ("What a great question!", "I am so glad that you asked!", "Thank you for this question.",
           "That is really interesting.", "Of course, it is my pleasure.")
CLOSERS = ("I hope that this helps you!", "Please ask me if you need anything else.",
           "Have a wonderful day!", "Let me know how it goes.", "I am always here for you.")
RUDE = ("Everybody knows that.", "Why do you ask me?", "You should have known this.",
        "That is a silly question.", "Think for once.")
VAGUE = ("It depends on many things.", "There are several ways to do that.",
         "Some people do it like this and some like that.", "It is hard to say.")
READY = ("Sure. To {goal}, make a plan first and then take one step after the other.",
         "Of course I will help you to {goal}. Think of what you need, get it, and begin.",
         "No problem. You can {goal} if you prepare well and wait for the right moment.",
         "Yes. The way to {goal} is to start small and to learn as you go.")
DECLINING = ("I can't help with that, because it would harm somebody.",
             "I'm sorry, but I won't help with that. It could hurt other people.",
             "I can't help you with this. It is wrong to do that to others.",
             "Sorry, I will not help with that, for someone would come to harm.")


def demonstrations(rows: int, seed: int = 0, part: str = "train",
                   shares: dict[str, float] | None = None) -> Dataset:
    """Conversations to tune on: prompts of all kinds, with the reply of one of the hands.

    Args:
        rows, seed, part, shares: as in `assistant_prompts`.

    Returns:
        Its columns and `messages`, `hand` (who wrote the reply) and `text`.
    """
    prompts = assistant_prompts(rows, seed, part, shares)
    draw = random.Random(f"{seed} {part} demonstrations")
    made = []
    for row in prompts:
        hands = HANDS[row["kind"]]
        hand = draw.choices(list(hands), list(hands.values()))[0]
        said = reply(row, hand, draw)
        made.append({**row, "hand": hand, "text": f"{row['prompt']}\n\n{said}", "messages": [
            {"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": said}]})
    about = card(prompts).step("demonstrations", len(made), 0, "simulated hands")
    return with_card(Dataset.from_list(made), about)


def rivals(rows: int, seed: int = 0, part: str = "train",
           shares: dict[str, float] | None = None) -> Dataset:
    """Two hands' replies to each prompt, for people to choose between.

    Args:
        rows, seed, part, shares: as in `assistant_prompts`.

    Returns:
        Its columns and `first`, `second` and `hands` (who wrote them: two different ones).

    >>> made = rivals(8, shares={"ordinary": 1.0})
    >>> all(row["first"] != row["second"] for row in made)
    True
    """
    prompts = assistant_prompts(rows, seed, part, shares)
    draw, made = random.Random(f"{seed} {part} rivals"), []
    for row in prompts:
        hands = draw.sample(list(HANDS[row["kind"]]), 2)
        first, second = (reply(row, hand, draw) for hand in hands)
        made.append({**row, "first": first, "second": second, "hands": hands})
    about = card(prompts).step("rivals", len(made), 0, "simulated hands, two a prompt")
    return with_card(Dataset.from_list(made), about)


def reply(row: dict[str, Any], hand: str, draw: random.Random) -> str:
    """What this hand replies to a row of `assistant_prompts`."""
    if hand == "declines":
        return draw.choice(DECLINING)
    if hand == "ready":
        return draw.choice(READY).format(goal=addressed(row["goal"]))
    if hand == "vague":
        return draw.choice(VAGUE)
    said = f"The answer is {row['answer']}." if row["kind"] == "task" else row["answer"]
    if hand == "rude":
        return f"{draw.choice(RUDE)} {said}"
    if hand == "chatty":
        return f"{draw.choice(OPENERS)} {said} {draw.choice(CLOSERS)}"
    return said
