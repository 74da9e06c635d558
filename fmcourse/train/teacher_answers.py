"""A teacher's own answers to prompts, as conversations to tune a student on.

Distillation at the level of sequences (Kim and Rush 2016, arXiv:1606.07947): what a teacher writes
is text, so that a student of any other tokenizer can learn from it, and a teacher behind an API can
give it. An answer that is empty, or cut off before the teacher had ended it, teaches nothing good
and is left out; how many is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from datasets import Dataset

from fmcourse import hardware, store
from fmcourse.data.card import card, with_card
from fmcourse.errors import CourseWarning, DataError
from fmcourse.models import LanguageModel, roll_out, with_chat
from fmcourse.train.teaching import Asking, Price, asked

PART = 256  # conversations between two moments that a kill cannot undo

Message = Mapping[str, str]


@dataclass(frozen=True)
class Answers:
    """What a teacher answered.

    Attributes:
        records: conversations with its answers, column `messages`.
        empty, cut: conversations left out: with an answer of nothing, or that was not ended.
        price: what the teacher took.
    """

    records: Dataset
    empty: int
    cut: int
    price: Price


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
        samples: answers to each conversation.
        seed: of the sampling.

    Raises:
        DataError: no conversations, one in which nobody asks, or no answer that can be used.
        ModelError: a masked teacher, or a conversation and its answer do not fit its context.
        StoreError: what it answered before was changed.
    """
    talks = _asked_in(records)
    recipe = [teacher.sha256(), talks, tokens, temperature, samples, seed, hardware.detect().dtype,
              1]
    ask = partial(_ask, with_chat(teacher), talks * samples, tokens, temperature, seed)
    folder, price = asked("answers", recipe, ask, "part-*.json")
    found = [talk for part in sorted(folder.glob("part-*.json")) for talk in store.read_json(part)]
    empty, cut = (sum(talk[why] for talk in found) for why in ("empty", "cut"))
    kept = [talk["messages"] for talk in found if not (talk["empty"] or talk["cut"])]
    said = (f"{empty} of the teacher's {len(found)} answers are empty and {cut} are not ended "
            f"after {tokens} tokens")
    if not kept:
        raise DataError(f"{said}: there is nothing to learn.", where=teacher.name,
                        fix="Ask a teacher that was tuned to answer, or allow more tokens.")
    if empty or cut:
        warnings.warn(CourseWarning(f"{said}; they are left out."), stacklevel=3)
    step = card(records).step("answered by a teacher", len(kept), empty + cut,
                              f"(empty or not ended: left out); teacher {teacher.name}")
    text = ["\n\n".join(message["content"] for message in talk) for talk in kept]
    made = Dataset.from_dict({"messages": kept, "text": text})
    return Answers(with_card(made, step), empty, cut, price)


def _asked_in(records: Dataset) -> list[list[dict[str, str]]]:
    """Conversations without what the assistant says in them."""
    if "messages" not in records.column_names or not len(records):
        raise DataError("These records have no conversations.", where="teacher_answers",
                        fix="A column messages: a list of {role, content} for each record.")
    talks = [[{"role": said["role"], "content": said["content"]} for said in talk
              if said["role"] != "assistant"] for talk in records["messages"]]
    for place, talk in enumerate(talks):
        if not any(said["role"] == "user" for said in talk):
            raise DataError("Nobody asks anything in this conversation.", where=f"record {place}",
                            fix="Let the user say something, or leave it out.")
    return talks


def _ask(teacher: LanguageModel, talks: Sequence[list[Message]], tokens: int, temperature: float,
         seed: int, asking: Asking) -> None:
    parts = [talks[begin:begin + PART] for begin in range(0, len(talks), PART)]
    for number in range(asking.done, len(parts)):
        asking.begin()
        found, used = _answered(teacher, parts[number], tokens, temperature, (seed, number))
        store.write_json(asking.folder / f"part-{number:05}.json", found)
        asking.finish(teacher, used, used / len(parts[number]))


def _answered(teacher: LanguageModel, talks: Sequence[list[Message]], tokens: int,
              temperature: float, seed: tuple[int, int]) -> tuple[list[dict], int]:
    """Conversations with an answer after each message of the user; and the tokens it took."""
    found = [{"messages": [], "empty": False, "cut": False} for _ in talks]
    left, used, turn = [list(talk) for talk in talks], 0, 0
    while asking := [i for i, rest in enumerate(left) if any(s["role"] == "user" for s in rest)]:
        for i in asking:
            place = next(p for p, said in enumerate(left[i]) if said["role"] == "user") + 1
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
