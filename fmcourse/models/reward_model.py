"""A reward model: a language model's trunk, and a head that says how good a reply is, as a number.

An ordinary network of transformers for sequence classification with one output, so it opens
anywhere. The head reads one token, the end of the reply's turn, which has seen all the rest; the
white space that a chat template puts after it is left out, since a policy stops before it. Only
differences of rewards mean anything: in raw rewards, those are the log-odds of being preferred.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from fmcourse import hardware
from fmcourse.data.chat import written
from fmcourse.errors import DataError, ModelError
from fmcourse.models import compat
from fmcourse.models.adapters import adapted
from fmcourse.models.chat import Prompt, with_chat
from fmcourse.models.four_bits import is_quantized
from fmcourse.models.language_model import LanguageModel
from fmcourse.models.load import opened
from fmcourse.models.stored import Stored, evaluating

SHIFT, SCALE = "reward_shift", "reward_scale"  # in the config: they decide what is computed


@dataclass(repr=False)
class RewardModel(Stored):
    """A network that scores replies, with its tokenizer, a name and a card.

    Attributes:
        network: of transformers' kind for sequence classification, with one output.
        tokenizer: with a chat template; it pads with a token that ends no conversation.
        card: facts about its training, stored beside the weights.
    """

    network: compat.PreTrainedModel
    tokenizer: compat.PreTrainedTokenizerFast
    name: str
    card: dict[str, Any] = field(default_factory=dict)
    objective: ClassVar[str] = "reward"

    @classmethod
    def of(cls, model: LanguageModel, seed: int = 0) -> RewardModel:
        """A reward model with a language model's weights and a new head, to be trained.

        The head starts at random with variance 1 / (width + 1), as in Stiennon et al. 2020
        (arXiv:2009.01325, appendix B.1).

        Args:
            model: causal; one without a chat template gets ours. It stays as it is.
            seed: of the head.

        Raises:
            ModelError: a masked, adapted or quantised model; one whose architecture has no such
                network in transformers; or a tokenizer without tokens for turns.
        """
        _check(model)
        chat = with_chat(model)
        tokenizer, config = copy.deepcopy(chat.tokenizer), copy.deepcopy(model.network.config)
        tokenizer.pad_token = _filler(tokenizer, model.name)
        config.num_labels = 1
        config.get_text_config().pad_token_id = tokenizer.pad_token_id
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _headed(model, config)
        return cls(network.to(model.device).eval(), tokenizer, f"reward of {model.name}",
                   {"base": {"name": model.name, "sha256": model.sha256()}})

    @classmethod
    def load(cls, folder: Path | str, device: str | None = None) -> RewardModel:
        """Open a folder that `save` wrote, or that of a run of `train.reward`, in float32.

        Raises:
            ModelError: there is none, it is damaged, or it is no reward model.
        """
        folder = Path(folder).expanduser()
        place = folder / "model" if (folder / "run.json").is_file() else folder
        if not (place / "config.json").is_file():
            raise ModelError("There is no model here.", where=place,
                             fix="Name a folder with config.json.")
        network, tokenizer, card = opened(place, scores=True)
        if network.config.num_labels != 1 or not isinstance(_head(network), nn.Linear):
            raise ModelError("This model sorts texts into classes.", where=place,
                             fix="A reward model has one output, in a linear layer `score`.")
        return cls(network.to(device or hardware.detect().device).eval(), tokenizer, folder.name,
                   card)

    def __repr__(self) -> str:
        return (f"RewardModel({self.name!r}, {self.parameters / 1e6:.1f} M parameters, "
                f"{self.device})")

    def score(self, prompts: Sequence[Prompt], replies: Sequence[str], batch: int = 32
              ) -> np.ndarray:
        """The reward of each reply, (n,) float64.

        Args:
            prompts: questions, or conversations so far as lists of role and content.
            replies: one to each; an empty one is a turn without words.
            batch: replies of similar length scored together; it changes no reward.

        Raises:
            DataError: not one reply a prompt, or one with special tokens in it.
            ModelError: a conversation is too long for the model, or a reward is not a number.
        """
        return self._standard(self.raw(prompts, replies, batch))

    def raw(self, prompts: Sequence[Prompt], replies: Sequence[str], batch: int = 32
            ) -> np.ndarray:
        """What `score` gives before shift and scale: differences are log-odds of preference."""
        return self._read(answered(self.tokenizer, prompts, replies), batch)

    def score_tokens(self, input_ids: Tensor, attention_mask: Tensor, batch: int = 32) -> Tensor:
        """The reward of conversations that are tokens already, (batch,) float32.

        Each is read up to its last token: that should be the end of a turn, without the white space
        that the chat template writes after it; of a reply that was cut off, it is its last word.

        Args:
            input_ids, attention_mask: (batch, time); padding may be on either side.
            batch: rows a forward pass.

        Raises:
            ModelError: a row without tokens, or as for `score`.
        """
        rows = [ids[mask] for ids, mask in zip(input_ids, attention_mask.bool(), strict=True)]
        found = self._standard(self._read(rows, batch))
        return torch.from_numpy(found).float().to(input_ids.device)

    def standardised(self, prompts: Sequence[Prompt], replies: Sequence[str]) -> RewardModel:
        """A copy whose rewards of these replies have mean 0 and standard deviation 1.

        So a penalty on divergence means the same for any reward model (Ziegler et al. 2019,
        arXiv:1909.08593, section 2). The copy keeps shift and scale wherever it goes; transformers
        alone, which does not know them, gives the raw reward.

        Raises:
            ModelError: all rewards are the same.
        """
        found = self.raw(prompts, replies)
        deviation = float(found.std()) if len(found) else 0.0
        if deviation == 0:
            raise ModelError("These replies have no different rewards to standardise.",
                             where=self.name, fix="Give more replies, or train the model first.")
        return self._with(float(found.mean()), deviation)

    def unstandardised(self) -> RewardModel:
        """A copy whose rewards are the raw ones, to be trained further."""
        return self._with(0.0, 1.0)

    def _with(self, shift: float, scale: float) -> RewardModel:
        made = self.copy()
        setattr(made.network.config, SHIFT, shift)
        setattr(made.network.config, SCALE, scale)
        return made

    def _standard(self, raw: np.ndarray) -> np.ndarray:
        config = self.network.config
        return (raw - getattr(config, SHIFT, 0.0)) / getattr(config, SCALE, 1.0)

    def _read(self, rows: Sequence[Sequence[int] | Tensor], batch: int) -> np.ndarray:
        """Raw rewards of token ids, (n,) float64; rows of similar length go together."""
        for place, row in enumerate(rows):
            if not 0 < len(row) <= self.context:
                raise ModelError(f"A conversation of {len(row)} tokens cannot be scored.",
                                 where=f"reply {place}", fix="Between 1 token and this model's "
                                                             f"context of {self.context}.")
        found, order = np.zeros(len(rows)), sorted(range(len(rows)), key=lambda i: len(rows[i]))
        with evaluating(self.network), hardware.detect().autocast():
            for start in range(0, len(order), batch):
                some = order[start:start + batch]
                ids, lengths = padded([rows[i] for i in some], self.network.config)
                given = rewards(self.network, ids.to(self.device), lengths.to(self.device))
                found[some] = given.cpu().numpy()
        if not np.isfinite(found).all():
            wrong = int(np.flatnonzero(~np.isfinite(found))[0])
            raise ModelError(f"The reward of reply {wrong} is {found[wrong]}.", where=self.name,
                             fix="Its weights are damaged: train it with a lower learning rate.")
        return found


def answered(tokenizer: compat.PreTrainedTokenizerFast, prompts: Sequence[Prompt],
             replies: Sequence[str]) -> list[list[int]]:
    """Each prompt with its reply as token ids, up to the end of the reply's turn.

    Raises:
        DataError: not one reply a prompt, something that is no text, or a special token in one.
        ModelError: the chat template refuses a conversation.
    """
    if isinstance(prompts, str) or isinstance(replies, str) or len(prompts) != len(replies):
        raise DataError("There must be one reply for each prompt.", where="RewardModel",
                        fix="Give two lists of the same length.")
    texts = []
    for place, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        messages = [*asked, {"role": "assistant", "content": reply}]
        for message in messages:
            said = message["content"]
            if not isinstance(said, str) or any(t in said for t in tokenizer.all_special_tokens):
                raise DataError(f"This is no text, or holds a token that marks turns: {said!r:.60}",
                                where=f"pair {place}, {message['role']}",
                                fix="Remove it, or spell it otherwise.")
        texts.append(written(messages, tokenizer).rstrip())
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []


def padded(rows: Sequence[Sequence[int] | Tensor], config: Any) -> tuple[Tensor, Tensor]:
    """Rows as one tensor (rows, longest), filled up on the right, and their lengths (rows,)."""
    ids = nn.utils.rnn.pad_sequence([torch.as_tensor(row) for row in rows], batch_first=True,
                                    padding_value=config.get_text_config().pad_token_id)
    return ids, torch.tensor([*map(len, rows)])


def rewards(network: compat.PreTrainedModel, ids: Tensor, lengths: Tensor) -> Tensor:
    """What the head makes of each row's last token: (rows, time) → (rows,) float32.

    Padding is on the right, where no position of a causal network can see it. The head is computed
    in float32 always: bfloat16 has 256 steps between 1 and 2, and would invent ties.
    """
    hidden = network.base_model(input_ids=ids, use_cache=False).last_hidden_state
    last = hidden[torch.arange(len(ids), device=ids.device), lengths - 1].float()  # (rows, width)
    head = _head(network)
    bias = None if head.bias is None else head.bias.float()
    with torch.autocast(ids.device.type, enabled=False):
        return nn.functional.linear(last, head.weight.float(), bias)[:, 0]


def _check(model: LanguageModel) -> None:
    """Refuse what has no plain causal trunk; see `RewardModel.of`."""
    if model.objective != "causal":
        raise ModelError("A reward model is made from one that predicts the next token.",
                         where=model.name, fix="This one is masked: use a causal model.")
    if adapted(model) or is_quantized(model):
        raise ModelError("This model has an adapter, or its weights in four bits.",
                         where=model.name, fix="Use models.merged(model), or the base.")


def _headed(model: LanguageModel, config: Any) -> compat.PreTrainedModel:
    """A network of this config with the model's trunk and a random head."""
    try:
        network = compat.AutoModelForSequenceClassification.from_config(
            config, dtype=model.network.dtype)
        network.base_model.load_state_dict(model.network.base_model.state_dict())
        width = _head(network).in_features
    except (ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"transformers makes no reward model of a {type(model.network).__name__}.",
                         where=model.name, fix="Use one of Llama's kind, such as base or smollm2."
                         ) from error
    nn.init.normal_(_head(network).weight, std=(width + 1) ** -0.5)
    return network


def _head(network: compat.PreTrainedModel) -> Any:
    return getattr(network, "score", None)


def _filler(tokenizer: compat.PreTrainedTokenizerFast, name: str) -> str:
    """A token to pad with that ends no conversation: transformers alone takes the reward at the
    last token that is another."""
    end = answered(tokenizer, ["a"], ["b"])[0][-1]
    named = (tokenizer.pad_token, tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token)
    for token in named:
        if token is not None and tokenizer.convert_tokens_to_ids(token) != end:
            return token
    raise ModelError("This tokenizer has no token to pad with but the one that ends turns.",
                     where=name, fix="Set tokenizer.pad_token to another one of its tokens.")
