"""A teacher's own answers to prompts, as conversations to tune a student on.

Distillation at the level of sequences (Kim and Rush 2016, arXiv:1606.07947): what a teacher writes
is text, so that a student of any other tokenizer can learn from it, and a teacher behind an API can
give it. An answer that is empty, or cut off before the teacher had ended it, teaches nothing good
and is left out; how many is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from datasets import Dataset

from fmcourse import hardware, store
from fmcourse.data import tokenizer_hash
from fmcourse.data.card import card, with_card
from fmcourse.data.chat import conversations_in
from fmcourse.errors import CourseWarning, DataError
from fmcourse.models import LanguageModel, roll_out, with_chat
from fmcourse.models.rollout import prompt_tokens
from fmcourse.train.teaching import Asking, Said, asked

PART = 256  # conversations between two moments that a kill cannot undo

Message = Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """What a teacher answered.

    Attributes:
        records: conversations with its answers, column `messages`.
        empty, cut: conversations left out: with an answer of nothing, or that was not ended.
        said: where it is kept, and what the teacher took.
    """

    records: Dataset
    empty: int
    cut: int
    said: Said


def teacher_answers(
    teacher: LanguageModel, records: Dataset, *, tokens: int = 64, temperature: float = 0.01,
    samples: int = 1, seed: int = 0,
) -> Answers:
    """Let a teacher answer every message of a user, or open what it answered before.

    What the assistant says in the records is not read: each turn is answered anew, with the
    teacher's own earlier answers before it.

    Args:
        teacher: a causal model; one without a chat template gets ours.
        records: with a column `messages`, of which the assistant's may be missing.
        tokens: longest answer.
        temperature: near 0 it answers what it finds likeliest.
        samples: answers to each conversation; near temperature 0 they are all the same.
        seed: of the sampling.

    Returns:
        Conversations in their order, all of them once for each sample. The card's lineage leads
        to the records and to the teacher.

    Raises:
        DataError: no conversations, one in which nobody asks, or no answer that can be used.
        ModelError: a masked teacher, or a conversation and its answer do not fit its context.
        StoreError: what it answered before was changed.
    """
    talks, ready = _asked_in(records), with_chat(teacher)
    recipe = [teacher.sha256(), *_manner(ready), talks, tokens, temperature, samples, seed,
              hardware.detect().dtype, 1]
    ask = partial(_ask, ready, talks * samples, tokens, temperature, seed)
    said = asked("answers", recipe, ask, "part-*.json")
    parts = sorted(said.folder.glob("part-*.json"))
    found = [talk for part in parts for talk in store.read_json(part)]
    empty, cut = (sum(talk[why] for talk in found) for why in ("empty", "cut"))
    kept = [talk["messages"] for talk in found if not (talk["empty"] or talk["cut"])]
    lost = (f"{empty} of the teacher's {len(found)} answers are empty and {cut} are not ended "
            f"after {tokens} tokens")
    if not kept:
        raise DataError(f"{lost}: there is nothing to learn.", where=teacher.name,
                        fix="Ask a teacher that was tuned to answer, or allow more tokens.")
    if empty or cut:
        warnings.warn(CourseWarning(f"{lost}; they are left out."), stacklevel=2)
    about = card(records).step("answered by a teacher", len(kept), empty + cut,
                               f"(empty or not ended: left out); teacher {teacher.name}")
    about = replace(about, made_of=(*about.made_of, teacher.sha256()))
    text = ["\n\n".join(message["content"] for message in talk) for talk in kept]
    made = Dataset.from_dict({"messages": kept, "text": text})
    return Answers(with_card(made, about), empty, cut, said)


def _manner(teacher: LanguageModel) -> list[Any]:
    """What decides its answers beside its weights: how it reads, and where it stops."""
    tokenizer = teacher.tokenizer
    return [tokenizer_hash(tokenizer), tokenizer.chat_template, teacher.ends()]


def _asked_in(records: Dataset) -> list[list[dict[str, str]]]:
    """Conversations without what the assistant says in them."""
    talks = [[{"role": said["role"], "content": said["content"]} for said in talk
              if said["role"] != "assistant"]
             for talk in conversations_in(records, "train.teacher_answers")]
    if not talks:
        raise DataError("There are no conversations to answer.", where="train.teacher_answers",
                        fix="Give at least one record.")
    for place, talk in enumerate(talks):
        if not _to_next(talk):
            raise DataError("Nobody asks anything in this conversation.", where=f"record {place}",
                            fix="Let the user say something, or leave it out.")
    return talks


def _to_next(talk: Sequence[Message]) -> int:
    """How many messages there are up to the user's next, that one included; 0 if none comes."""
    return next((place for place, said in enumerate(talk, 1) if said["role"] == "user"), 0)


def _ask(teacher: LanguageModel, talks: Sequence[list[Message]], tokens: int, temperature: float,
         seed: int, asking: Asking) -> None:
    prompt_tokens(teacher, [talk[:_to_next(talk)] for talk in talks], tokens)  # do they fit?
    parts = [talks[begin:begin + PART] for begin in range(0, len(talks), PART)]
    for number in range(asking.done, len(parts)):
        asking.begin()
        found, used = _answered(teacher, parts[number], tokens, temperature, (seed, number))
        store.write_json(asking.folder / f"part-{number:05}.json", found)
        asking.finish(teacher, used, sum(said["role"] == "assistant" for talk in found
                                         for said in talk["messages"]))


def _answered(teacher: LanguageModel, talks: Sequence[list[Message]], tokens: int,
              temperature: float, seed: tuple[int, int]) -> tuple[list[dict], int]:
    """Conversations with an answer after each message of the user; and the tokens it took."""
    found = [{"messages": [], "empty": False, "cut": False} for _ in talks]
    left, used, turn = [list(talk) for talk in talks], 0, 0
    while asking := [i for i, rest in enumerate(left) if _to_next(rest)]:
        for i in asking:
            place = _to_next(left[i])
            found[i]["messages"] += left[i][:place]
            left[i] = left[i][place:]
        drawn = int(store.sha256_json([*seed, turn])[:8], 16)
        made = roll_out(teacher, [found[i]["messages"] for i in asking], tokens,
                        temperature=temperature, seed=drawn)
        used, turn = used + int(made.attention_mask.sum()), turn + 1
        for i, said, ended in zip(asking, made.replies(teacher), made.ended.tolist(), strict=True):
            found[i]["messages"].append({"role": "assistant", "content": said})
            found[i]["empty"] |= not said
            found[i]["cut"] |= bool(said) and not ended
    return found, used
