"""Talking to a model in a notebook: a box to write in, and the conversation above it.

It works by keyboard alone: Tab reaches every part, Enter sends. A notebook that is only read has no
kernel to answer; there the conversation stands as it was when the cell was run.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from fmcourse.errors import CourseError
from fmcourse.models import Chat, LanguageModel
from fmcourse.show.live import boxed
from fmcourse.show.tables import FAINT


class ChatBox:
    """A conversation to look at and to go on with; made by `show.chat`."""

    def __init__(self, talk: Chat):
        self.talk, self.problem = talk, ""
        self.shown = widgets.HTML()
        self.entry = widgets.Text(description="You", placeholder="Write, then press Enter",
                                  layout={"width": "70%"})
        self.send = widgets.Button(description="Send", tooltip="Send what is written")
        self.again = widgets.Button(description="Start again", tooltip="Forget the conversation")
        self.entry.on_msg(lambda _, said, __: said.get("event") == "submit" and self.say())
        self.send.on_click(lambda _: self.say())
        self.again.on_click(lambda _: self.start_again())
        self._draw()

    def say(self) -> None:
        """Say what is written; what cannot be answered stays written, and why is told."""
        text = self.entry.value.strip()
        if not text:
            return
        self.entry.disabled = self.send.disabled = True  # one question at a time
        try:
            self.talk.say(text)
            self.entry.value, self.problem = "", ""
        except CourseError as error:
            self.problem = str(error)
        finally:
            self.entry.disabled = self.send.disabled = False
            self._draw()

    def start_again(self) -> None:
        """Forget the conversation."""
        self.talk.start_again()
        self.problem = ""
        self._draw()

    def _draw(self) -> None:
        self.shown.value = self._repr_html_()

    def _repr_html_(self) -> str:
        """The conversation; what the model no longer reads is faint."""
        lines = [_line("You" if said["role"] == "user" else self.talk.model.name, said["content"],
                       faint=number < self.talk.unread)
                 for number, said in enumerate(self.talk.messages)]
        problem = f"<p role='alert'>{html.escape(self.problem)}</p>" if self.problem else ""
        return f"<div role='log' aria-live='polite'>{''.join(lines)}</div>{problem}"

    def __repr__(self) -> str:
        names = {"user": "You", "assistant": self.talk.model.name}
        return "\n".join(f"{names[said['role']]}: {said['content']}" for said in self.talk.messages)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        controls = widgets.HBox([self.entry, self.send, self.again])
        live = boxed([self.shown, controls])._repr_mimebundle_(**options)
        return {**live, "text/plain": repr(self), "text/html": self._repr_html_()}


def chat(model: LanguageModel, opening: Sequence[str] = (), **options: Any) -> ChatBox:
    """A box to talk to a model.

    Args:
        model: a causal model; one without a chat template gets ours.
        opening: what is said first, before the learner goes on.
        options: of `models.Chat`, such as system, tokens, temperature.
    """
    talk = Chat(model, **options)
    for text in opening:
        talk.say(text)
    return ChatBox(talk)


def _line(name: str, text: str, faint: bool) -> str:
    style = f" style='{FAINT}'" if faint else ""
    words = html.escape(text).replace("\n", "<br>")
    return f"<p{style}><b>{html.escape(name)}</b> {words}</p>"
