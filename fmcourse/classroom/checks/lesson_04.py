"""Lesson 04, instruction tuning: templates, what is graded, the loss, forms, and unseen tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fmcourse.classroom.check import Exercise

TALK = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}]
SET_UP = [{"role": "system", "content": "Be brief."}, *TALK,
          {"role": "user", "content": "Why?\nSay"}]


def _template(end: str = "<|end|>", opening: Callable[[bool], bool] = bool,
              between: str = "\n", close_last: bool = True) -> Callable:
    def as_text(messages: list[dict[str, str]], answer_next: bool = False) -> str:
        text = ""
        for place, message in enumerate(messages):
            last = place == len(messages) - 1
            text += f"<|{message['role']}|>{between}{message['content']}"
            text += (end if close_last or not last else "") + "\n"
        return text + (f"<|assistant|>{between}" if opening(answer_next) else "")
    return as_text


TEMPLATE = Exercise(
    "as_text", _template(),
    {"a finished talk": (TALK, False), "a question to be answered": (SET_UP, True)},
    {"Turns have no end mark: a model trained on this never learns when to stop.":
        _template(end=""),
     "You never open the assistant's turn: asked like this, the model may go on with the user's.":
        _template(opening=lambda asked: False),
     "You always open the assistant's turn, even behind a finished talk: in training that is a "
     "turn without a word.": _template(opening=lambda asked: True),
     "There is no line break between a role and its content. Training and asking must agree to the "
     "character.": _template(between=""),
     "You left the last turn open. Only a turn still to be *written* is open, and that is none of "
     "the messages.": _template(close_last=False)},
    ("Write one turn first: role line, content, end mark, line break. Then join, then look at "
     "`answer_next`.",
     "Four parts make a turn, and two of them end with a line break. An f-string for a turn, a "
     "join for the talk, and a condition for what stands behind it."))

START, END, USER, ASSISTANT = 1, 2, 3, 4
ONE = [START, USER, 20, 21, END, START, ASSISTANT, 30, 31, 32, END]
TWO = [*ONE, START, USER, 22, END, START, ASSISTANT, 33, END]


def _graded(role: int | None = ASSISTANT, header: bool = False, end: bool = True,
            last_only: bool = False) -> Callable:
    def labels(ids: list[int]) -> list[int]:
        made, speaker, place = [], None, 0
        final = len(ids) - 1 - ids[::-1].index(START)
        for i, token in enumerate(ids):
            if token == START:
                speaker, place = ids[i + 1], 0
            counts = speaker == role or role is None
            counts &= place > 1 or header
            counts &= end or token != END
            counts &= not last_only or i >= final
            made.append(token if counts else -100)
            place += 1
            speaker = None if token == END else speaker
        return made
    return labels


REPLIES = Exercise(
    "reply_labels", _graded(), {"one reply": (ONE,), "two replies": (TWO,)},
    {"The end mark of a reply must be graded: otherwise the model never learns to stop.":
        _graded(end=False),
     "You grade the assistant's role marks. They are put there by the template, not by the model.":
        _graded(header=True),
     "You grade the last reply alone. Every reply of a talk is an example.":
        _graded(last_only=True),
     "You grade the user's words: the model learns to be the one who asks.":
        _graded(role=USER),
     "You grade everything that anybody says.": _graded(role=None, header=True)},
    ("Walk along the tokens and remember who is speaking. From which token on is it the model's "
     "own choice, and up to which?",
     "A reply begins two places behind START, if the place between holds ASSISTANT, and it ends "
     "*with* END. All else is -100."))


def _batch(seed: int, kept: list[list[int]]) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 7, (len(kept), len(kept[0])), generator=draw)
    return (torch.randn(len(kept), len(kept[0]), 7, generator=draw),
            labels.masked_fill(torch.tensor(kept) == 0, -100))


def _each(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of every place, moved, and which count. (batch, time - 1) both."""
    target = labels[:, 1:]
    losses = functional.cross_entropy(logits[:, :-1].transpose(1, 2), target.clamp(min=0),
                                      reduction="none")
    return losses, target != -100


def _of(what: Callable[[Tensor, Tensor], Tensor]) -> Callable:
    return lambda logits, labels: what(*_each(logits, labels))


LOSS = Exercise(
    "completion_loss", lambda logits, labels: functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1)),
    {"one reply is short": _batch(0, [[0, 0, 1, 1, 1], [0, 0, 0, 1, 0]]),
     "the reply comes at once": _batch(1, [[0, 1, 1, 0], [0, 0, 1, 1]]),
     "a text without a prompt": _batch(2, [[1, 1, 1, 1], [0, 0, 1, 1]])},
    {"You divided by all tokens, prompt and padding included. Divide by those that count.":
        _of(lambda losses, kept: (losses * kept).sum() / kept.numel()),
     "You let places with the label -100 count, as if 0 were asked of them.":
        _of(lambda losses, kept: losses.mean()),
     "You averaged each row first, so that a token of a short reply weighs more. Add up all, "
     "divide once.": _of(lambda losses, kept: ((losses * kept).sum(1) / kept.sum(1)).mean()),
     "You added up and did not divide.": _of(lambda losses, kept: (losses * kept).sum()),
     "You moved the labels in a ring: the last place is asked for the first token. Nobody guesses "
     "the first one; leave the last logits out.": lambda logits, labels: functional.cross_entropy(
         logits.flatten(0, 1), labels.roll(-1, 1).flatten()),
     "You did not move the labels: logits at place t are a guess of token t + 1.":
        lambda logits, labels: functional.cross_entropy(logits.flatten(0, 1), labels.flatten())},
    ("Logits at place t guess token t + 1: which logits and which labels belong together? And what "
     "is the sum divided by?",
     "logits[:, :-1] belong to labels[:, 1:]. cross_entropy leaves -100 out of the sum *and* of "
     "the count by itself."))

ROWS = [[5, 6, 7, 2], [8, 2]]  # 2 ends a text, and fills up, too


def _collated(labels: Callable[[list[int], int], list[int]], left: bool = False,
              by_id: bool = False) -> Callable:
    def collate(rows: list[list[int]], pad: int) -> dict[str, Tensor]:
        size = max(map(len, rows))
        made: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
        for row in rows:
            filling = size - len(row)
            ids = row + [pad] * filling
            parts = {"input_ids": ids, "labels": labels(ids, len(row)), "attention_mask": [
                int(token != pad) if by_id else int(i < len(row)) for i, token in enumerate(ids)]}
            for key, part in parts.items():
                made[key].append(part[len(row):] + part[:len(row)] if left else part)
        return {key: torch.tensor(value) for key, value in made.items()}
    return collate


def _by_place(ids: list[int], length: int) -> list[int]:
    return [token if i < length else -100 for i, token in enumerate(ids)]


def _by_id(ids: list[int], length: int) -> list[int]:
    return [-100 if token == ids[-1] else token for token in ids]


COLLATE = Exercise(
    "collate", _collated(_by_place),
    {"two texts": (ROWS, 2), "three texts": ([[9, 2], [4, 5, 2], [2]], 2)},
    {"That is the code as it was given: whatever *is* the padding token is left out, the end of "
     "every text with it.": _collated(_by_id, by_id=True),
     "The mask is right now, and the labels still leave out the end of every text.":
        _collated(_by_id),
     "The labels are right now, and the mask still hides the end of every text.":
        _collated(_by_place, by_id=True),
     "Padding has labels: the model is graded on guessing it.":
        _collated(lambda ids, length: list(ids)),
     "You padded in front. That is for generation; here the texts come first.":
        _collated(_by_place, left=True)},
    ("The same number means two things here. What tells them apart?",
     "Not the id, but the place: everything from len(row) on is padding. Build mask and labels "
     "from lengths."))


def _forms(words: Callable[[str], int] = lambda reply: len(reply.split()),
           is_json: Callable[[str], bool] | None = None,
           ends: Callable[[str, str], bool] = lambda reply, end: reply.strip().endswith(end),
           every: Callable[[Sequence[bool]], bool] = all) -> Callable:
    def parses(reply: str) -> bool:
        try:
            return isinstance(json.loads(reply), dict)
        except ValueError:
            return False

    def keeps(reply: str, form: dict[str, Any]) -> bool:
        asked = {"most_words": lambda most: words(reply) <= most,
                 "json": lambda wanted: (is_json or parses)(reply) == wanted,
                 "ends_with": lambda end: ends(reply, end)}
        return every([asked[key](value) for key, value in form.items()])
    return keeps


FORMS = Exercise(
    "keeps_form", _forms(),
    {"few words": ("Cats sleep a lot.", {"most_words": 4}),
     "too many words": ("Cats sleep a lot of the time.", {"most_words": 5}),
     "an object": ('{"name": "cat"}', {"json": True}),
     "nearly an object": ('{"name": "cat"', {"json": True}), "a mere number": ("7", {"json": True}),
     "braces around nothing": ("{name: cat}", {"json": True}),
     "an end with a blank behind it": ("Cats sleep. Over. ", {"ends_with": "Over."}),
     "the words, but not at the end": ("Over. And out.", {"ends_with": "Over."}),
     "an object within prose": ('Here it is: {"name": "cat"}', {"json": True}),
     "two blanks": ("Cats  sleep  a  lot.", {"most_words": 4}),
     "words on three lines": ("Cats\nsleep\na lot.", {"most_words": 3}),
     "the end in small letters": ("Cats sleep. over.", {"ends_with": "Over."}),
     "one of two is broken": ("Cats sleep. Over.", {"most_words": 2, "ends_with": "Over."})},
    {"You count characters, not words.": _forms(words=len),
     "You take for JSON whatever has braces around it. Let json.loads decide.":
        _forms(is_json=lambda reply: reply.startswith("{") and reply.endswith("}")),
     "A number is JSON, but no object.": _forms(is_json=lambda reply: _forms()(
         reply, {"json": True}) or reply.isdigit()),
     "You find an object within other words. The reply must be the object and nothing else.":
        _forms(is_json=lambda reply: _forms()(
            reply[reply.find("{"):reply.rfind("}") + 1], {"json": True})),
     "You split at single blanks: two in a row make a word of nothing, and a line break makes one "
     "word of two.": _forms(words=lambda reply: len(reply.split(" "))),
     "The end must agree to the letter, capitals included.": _forms(
         ends=lambda reply, end: reply.strip().lower().endswith(end.lower())),
     "You look for the words anywhere. They are asked for at the end.":
        _forms(ends=lambda reply, end: end in reply),
     "A blank behind the last word breaks your check. Nobody sees it: strip first.":
        _forms(ends=lambda reply, end: reply.endswith(end)),
     "If *one* of the constraints is kept you are content. All must be.": _forms(every=any)},
    ("One question for each key of the form, and all must be answered with yes.",
     "len(reply.split()); json.loads in a try, and isinstance(…, dict); reply.strip().endswith(…). "
     "json.loads raises ValueError."))


def _fold(text: str) -> str:
    return " ".join(text.lower().split())


def _leaking(by_family: bool = True, fold: Callable[[str], str] | None = _fold,
             inside: bool = True) -> Callable:
    def leaks(train: list[dict[str, str]], test: list[dict[str, str]]) -> list[int]:
        families = {record["family"] for record in train} if by_family else set()
        texts = {fold(record["text"]) for record in train} if fold else set()
        return [i for i, record in enumerate(test) if inside == (
            record["family"] in families or (bool(fold) and fold(record["text"]) in texts))]
    return leaks


def _within(train: list[dict[str, str]], test: list[dict[str, str]]) -> list[int]:
    return [i for i, record in enumerate(test) if any(
        record["family"] == other["family"] or _fold(other["text"]) in _fold(record["text"])
        for other in train)]


RECORDS = ([{"family": "sort", "text": "Put these in order: b, a."},
            {"family": "count", "text": "How many words?"}],
           [{"family": "translate", "text": "Say it in French."},
            {"family": "sort", "text": "In order, please: d, c."},
            {"family": "tally", "text": "How many words?"},
            {"family": "order", "text": "put these in  ORDER: b, a."},
            {"family": "rhyme", "text": "What rhymes with cat?"},
            {"family": "length", "text": "Say, how many words? And letters?"},
            {"family": "size", "text": "Howmany words?"}])

LEAKS = Exercise(
    "leaks", _leaking(), {"five test records": RECORDS, "nothing leaks": (
        RECORDS[0], RECORDS[1][:1])},
    {"You look at families alone. The same request under another family's name is no new task.":
        _leaking(fold=None),
     "You look at texts alone. A new text of a task that was trained is no *unseen task*.":
        _leaking(by_family=False),
     "You compare texts letter by letter: capitals and double blanks hide a copy.":
        _leaking(fold=str),
     "You remove all white space, so two words are the same as one. Leave a blank between words.":
        _leaking(fold=lambda text: "".join(text.lower().split())),
     "You look for a training text *within* a test text. Asked for are texts that are the same.":
        _within,
     "You give those that do *not* leak.": _leaking(inside=False)},
    ("A test record must be new in two ways. Which?",
     "Collect train's families and its texts, lower-cased and with single blanks "
     '(" ".join(text.lower().split())), as sets; then go through test with enumerate.'))

EXERCISES = (TEMPLATE, REPLIES, LOSS, COLLATE, FORMS, LEAKS)
