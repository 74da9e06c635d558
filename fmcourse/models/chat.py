"""Talking to a model: the template that tells who is speaking, and a reply to a conversation.

A base model has no notion of a speaker. Our tokenizer reserves two tokens for turns from the
start, and `with_chat` gives a model the template that uses them: ChatML, as SmolLM2 and many others
have it. A template does not teach anything; instruction tuning does.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fmcourse.errors import ModelError
from fmcourse.models.language_model import LanguageModel

Prompt = str | Sequence[Mapping[str, str]]  # a question, or the conversation so far
TURN, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def with_chat(model: LanguageModel) -> LanguageModel:
    """The model, ready for conversations: with a chat template, and stopping at a turn's end.

    A model that has a template keeps its own. Weights are shared with the model given; its
    tokenizer is not changed.

    Raises:
        ModelError: no template, and no tokens to mark turns by.
    """
    if model.tokenizer.chat_template:
        return model
    known = model.tokenizer.get_vocab()
    if TURN not in known or END not in known:
        raise ModelError("This tokenizer has no chat template and no tokens for turns.",
                         where=model.name,
                         fix=f"Use a chat model, or one whose tokenizer has {TURN} and {END}.")
    tokenizer = copy.deepcopy(model.tokenizer)
    tokenizer.chat_template = TEMPLATE
    ends = [known[END], tokenizer.eos_token_id]
    made = LanguageModel(copy.copy(model.network), tokenizer, model.name, model.objective,
                         copy.deepcopy(model.card))
    made.network.generation_config = copy.deepcopy(model.network.generation_config)
    made.network.generation_config.eos_token_id = ends
    return made


def reply(
    model: LanguageModel,
    messages: Prompt,
    tokens: int = 64,
    temperature: float = 0.0,
    seed: int = 0,
) -> str:
    """What the model answers to a conversation.

    Args:
        messages: a question, or the conversation so far as a list of role and content.
        tokens, temperature, seed: as in `LanguageModel.generate`; by default the likeliest reply.

    Raises:
        ModelError: the model has no chat template, or the conversation is too long for it.
    """
    return replies(model, [messages], tokens, temperature, seed)[0]


def replies(
    model: LanguageModel,
    conversations: Sequence[Prompt],
    tokens: int = 64,
    temperature: float = 0.0,
    seed: int = 0,
    batch: int = 24,
) -> list[str]:
    """What the model answers to each of several conversations.

    Args:
        conversations: questions, or conversations so far.
        tokens, temperature, seed: as in `LanguageModel.generate`; by default the likeliest replies.
        batch: conversations of similar length answered together.

    Returns:
        A reply to each, in their order.

    Raises:
        ModelError: the model has no chat template, or a conversation is too long for it.
    """
    prompts = chat_prompts(model, conversations)
    return [text.strip()
            for text in continuations(model, prompts, tokens, temperature, seed, batch)]


def chat_prompts(model: LanguageModel, conversations: Sequence[Prompt]) -> list[str]:
    """Conversations as the texts after which the model is to answer.

    Raises:
        ModelError: the model has no chat template.
    """
    if not model.tokenizer.chat_template:
        raise ModelError("This model has no chat template.", where=model.name,
                         fix="models.with_chat(model) gives it one; tuning teaches its use.")
    return [model.tokenizer.apply_chat_template(_messages(said), tokenize=False,
                                                add_generation_prompt=True)
            for said in conversations]


def continuations(
    model: LanguageModel, prompts: Sequence[str], tokens: int = 64, temperature: float = 0.0,
    seed: int = 0, batch: int = 24,
) -> list[str]:
    """What a model writes after each of many prompts; those of similar length go together.

    Args:
        tokens, temperature, seed: as in `LanguageModel.generate`.
        batch: prompts a forward pass.

    Returns:
        A text to each, in their order.
    """
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    written = [""] * len(prompts)
    for begin in range(0, len(order), batch):
        places = order[begin:begin + batch]
        texts = model.generate([prompts[place] for place in places], tokens=tokens,
                               temperature=temperature, seed=seed)
        for place, text in zip(places, texts, strict=True):
            written[place] = text
    return written


def _messages(said: Prompt) -> list[dict[str, str]]:
    """A question, or a conversation, as messages."""
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    return [dict(message) for message in said]


@dataclass
class Chat:
    """A conversation with a model, kept going.

    When it grows too long for the model's context, the oldest turns are left out of what the model
    reads; `unread` counts them. The system message is always read.

    Attributes:
        model: who answers; one without a chat template gets ours.
        system: what sets the scene; none if empty.
        tokens, temperature: as in `reply`.
        messages: what was said by user and assistant, all of it.
        unread: messages at the beginning that the model no longer reads.
    """

    model: LanguageModel
    system: str = ""
    tokens: int = 128
    temperature: float = 0.0
    messages: list[dict[str, str]] = field(default_factory=list)
    unread: int = 0

    def __post_init__(self) -> None:
        self.model = with_chat(self.model)

    def say(self, text: str) -> str:
        """Say something; returns the answer. What fails is as if it had not been said.

        Raises:
            ModelError: this message alone is too long for the model.
        """
        said, unread = [*self.messages, {"role": "user", "content": text}], self.unread
        while not self._fits(said[unread:]) and unread < len(said) - 1:
            unread += 2
        answer = reply(self.model, [*self._scene(), *said[unread:]], self.tokens,
                       self.temperature, seed=len(said))
        self.messages = [*said, {"role": "assistant", "content": answer}]
        self.unread = unread
        return answer

    def start_again(self) -> None:
        """Forget what was said."""
        self.messages, self.unread = [], 0

    def _scene(self) -> list[dict[str, str]]:
        return [{"role": "system", "content": self.system}] if self.system else []

    def _fits(self, messages: list[dict[str, str]]) -> bool:
        ids = self.model.tokenizer.apply_chat_template(
            [*self._scene(), *messages], tokenize=True, add_generation_prompt=True,
            return_dict=False)
        return len(ids) + self.tokens <= self.model.context
