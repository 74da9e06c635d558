"""Ways to die in the middle of work, so that a test can see it go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fmcourse.train import teaching, watch


@contextmanager
def killed_at(step: float) -> Iterator[None]:
    """Training inside is killed at the end of this optimiser step."""
    ended = watch.Watch.on_step_end

    def killed(self, args, state, control, **rest):
        ended(self, args, state, control, **rest)
        if state.global_step >= step:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch.Watch, "on_step_end", killed)
        with pytest.raises(KeyboardInterrupt):
            yield


@contextmanager
def teacher_killed_once() -> Iterator[list[int]]:
    """A teacher asked inside is killed after its first part; gives the parts it finishes."""
    finish, parts = teaching.Asking.finish, []

    def killed(self, *given):
        finish(self, *given)
        parts.append(self.done)
        if parts == [1]:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching.Asking, "finish", killed)
        yield parts
