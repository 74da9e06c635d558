"""Fresh cases of lesson 11."""

from __future__ import annotations

import torch

from fmcourse.classroom.hidden import Case, Draw
from fmcourse.classroom.hidden.lesson_10 import _lengths, _numbers


def _replies(draw: Draw) -> Case:
    pairs, time, numbers = draw.randint(2, 5), draw.randint(4, 8), _numbers(draw)
    log_probs = -3 * torch.rand(4, pairs, time, generator=numbers)
    return (*log_probs, _lengths(draw, pairs, time), _lengths(draw, pairs, time),
            draw.uniform(0.05, 1))


def _groups(draw: Draw) -> Case:
    """Right or wrong, or points; now and then all of a group are alike."""
    prompts, group = draw.randint(2, 4), draw.randint(3, 8)
    points = draw.each([2, 2, 101])
    rows = [[1.0, *(draw.randrange(points) / (points - 1) for _ in range(group - 2)), 0.0]
            for _ in range(prompts)]
    if draw.random() < 0.5:
        rows[0] = [float(draw.randrange(2))] * group
    return (torch.tensor(rows),)


def _steps(draw: Draw) -> Case:
    replies, time, numbers = draw.randint(2, 3), draw.randint(3, 6), _numbers(draw)
    log_probs = -3 * torch.rand(3, replies, time, generator=numbers)
    return (*log_probs, torch.randn(replies, generator=numbers), draw.uniform(0.1, 0.3),
            draw.each([0.0, 0.2, 1.5]))


def _reply(draw: Draw) -> Case:
    """What answers, and what only contains an answer."""
    right, wrong = draw.sample(["12", "47", "Oslo", "Lima", "iron", "1066", "Bo", "teal"], 2)
    talk = draw.choice(["Let us see.", "It is simple.", "Half of it is half."])
    return draw.each([
        f"{talk}\nAnswer: {right}", f"{talk}\nAnswer: {wrong}",
        f"{right}, or not.\nAnswer: {wrong}", f"Answer: {wrong} {right} {talk}",
        f"Answer: {right}8", f"Answer: {right}\nAnswer: {wrong}",
        f"Answer: {wrong}\n{talk}\nAnswer: {right}", f"Answer: {right} or {wrong}",
        f"{talk}\n  aNSWER:   {right.upper()}. ", f"{talk} {right}", f"Answer: {right}.\n{talk}",
        f"There is no real answer: {right}", f"Answer:\n{right}", f"Answer: maybe: {right}",
        ""]), right


def _test(draw: Draw) -> Case:
    asked = draw.randint(6, 150)
    return draw.each([0, draw.randint(1, 3), draw.randint(2, asked - 1), asked]), asked


FRESH = {"dpo_loss": _replies, "group_advantages": _groups, "token_losses": _steps,
         "right_answer": _reply, "most_harm": _test}
