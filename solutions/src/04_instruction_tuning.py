# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Exercises: instruction tuning
# Between a list of messages and a loss lie four small functions. If one of them is off by a token, the model trains, the loss
# falls, and it never learns to stop. The last two exercises are about the proof: forms kept, and tasks really unseen.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("as_text")` gives a hint,
# `sheet.hint("as_text", 2)` the last one.

# %%
import json

import torch
from torch import nn

import fmcourse as fm

sheet = fm.classroom.sheet("04")

# %% [markdown] exercise="as_text" kind="implement" difficulty=1 minutes=10 claims=["K3"]
# ## A conversation is a text
# Write messages as the model will read them. Each turn is its role between `<|` and `|>`, a line break, the content, `<|end|>`
# and a line break. If the model shall answer next, the opening of its turn follows: the role and a line break, no more.

# %%
def as_text(messages: list[dict[str, str]], answer_next: bool = False) -> str:
    r"""Messages in the course's template for this sheet.

    Args:
        messages: of {"role": ..., "content": ...}.
        answer_next: end with the opening of the assistant's turn.

    >>> as_text([{"role": "user", "content": "Hello"}], answer_next=True)
    '<|user|>\nHello<|end|>\n<|assistant|>\n'
    """
    ### BEGIN SOLUTION
    turns = [f"<|{message['role']}|>\n{message['content']}<|end|>\n" for message in messages]
    return "".join(turns) + ("<|assistant|>\n" if answer_next else "")
    ### END SOLUTION


# %%
sheet.check(as_text)

# %% [markdown] tags=["commentary"]
# **How it works.** Training reads finished talks, asking reads an open one: the same function makes both, and that is the point.
# A missing line break, or an opening that is sometimes there, is another template to the model, and it answers as badly as it
# would in a language it has half learnt.

# %% [markdown] exercise="reply_labels" kind="implement" difficulty=3 minutes=20 claims=["K3"]
# ## Grade the reply
# Here each mark is a token: a turn is `START`, the role, the content's tokens, `END`. Grade what the model has to write itself.

# %%
START, END, USER, ASSISTANT = 1, 2, 3, 4


def reply_labels(ids: list[int]) -> list[int]:
    """Labels, as long as the ids: the same id where the assistant writes, else -100.

    The assistant writes its content and the END of its turn; START and role are given to it. Ids
    of content are 10 or more.

    >>> reply_labels([START, USER, 20, END, START, ASSISTANT, 30, END])
    [-100, -100, -100, -100, -100, -100, 30, 2]
    """
    ### BEGIN SOLUTION
    labels, speaking = [], False
    for place, token in enumerate(ids):
        labels.append(token if speaking else -100)
        if token == END:
            speaking = False
        elif token == ASSISTANT and ids[place - 1] == START:
            speaking = True
    return labels
    ### END SOLUTION


# %%
sheet.check(reply_labels)

# %% [markdown] tags=["commentary"]
# **How it works.** The label is written *before* the state changes, so `END` still belongs to the reply, and the role mark does
# not. That one token decides whether the model stops. In practice the spans are found in the text of the template, not by
# counting tokens, since every model writes its turns otherwise (`fm.data.chat_tokens`).

# %% [markdown] exercise="completion_loss" kind="implement" difficulty=3 minutes=15 claims=["K3"]
# ## The loss of a reply
# The mean surprise over the tokens that count, and over nothing else.

# %%
def completion_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the graded tokens.

    Args:
        logits: (batch, time, vocabulary), at each place a guess of the *next* token.
        labels: (batch, time) int64, not moved; -100 where a token does not count. The first token
            never does, for nothing comes before it that could guess it.

    Returns:
        A scalar in nats a graded token.

    >>> labels = torch.tensor([[-100, 1]])
    >>> round(completion_loss(torch.zeros(1, 2, 2), labels).item(), 3)  # ln 2
    0.693
    """
    ### BEGIN SOLUTION
    guesses, truth = logits[:, :-1], labels[:, 1:]
    return nn.functional.cross_entropy(guesses.flatten(0, 1), truth.flatten(),
                                       ignore_index=-100)
    ### END SOLUTION


# %%
sheet.check(completion_loss)

# %% [markdown] tags=["commentary"]
# **How it works.** `ignore_index` takes a place out of the sum and out of the count. Dividing by all places instead makes the
# loss of a short reply small for no merit, and the learning rate with it: the more padding, the slower it learns. The mean of
# the rows' means is the same trap in another dress; some trainers fell into it when gradients were gathered over several
# small batches.

# %% [markdown] exercise="collate" kind="debug" difficulty=3 minutes=15 claims=["K3"]
# ## It never stops
# A model tuned with this code answers well, and then goes on, and on. Its tokenizer has no padding token, so somebody took the
# one that ends a text (2). Run it, and find in the output where the model should learn to stop.

# %%
def faulty_collate(rows, pad):
    size = max(len(row) for row in rows)
    ids = torch.tensor([row + [pad] * (size - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != pad).long(),
            "labels": ids.masked_fill(ids == pad, -100)}


for name, values in faulty_collate([[5, 6, 7, 2], [8, 2]], pad=2).items():
    print(name, values.tolist())

# %% [markdown]
# Mend it for *any* padding token, that one included.

# %%
def collate(rows: list[list[int]], pad: int) -> dict[str, torch.Tensor]:
    """A batch of texts, filled up behind each to the length of the longest.

    Args:
        rows: token ids of each text, its end token included.
        pad: the token to fill with; it may occur in the texts.

    Returns:
        input_ids, attention_mask (1 where there is text, else 0) and labels (the ids where there
        is text, else -100): (rows, longest) int64 each.

    >>> batch = collate([[5, 2], [2]], pad=0)
    >>> batch["input_ids"].tolist(), batch["labels"].tolist()
    ([[5, 2], [2, 0]], [[5, 2], [2, -100]])
    """
    ### BEGIN SOLUTION
    size = max(len(row) for row in rows)
    ids = torch.tensor([row + [pad] * (size - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    text = torch.arange(size) < lengths[:, None]  # (rows, longest), by place and not by id
    return {"input_ids": ids, "attention_mask": text.long(),
            "labels": ids.masked_fill(~text, -100)}
    ### END SOLUTION


# %%
sheet.check(collate)

# %% [markdown] tags=["commentary"]
# **What was wrong.** `ids == pad` is true of the padding and of every text's own end. So the end was never graded, and the model
# never learnt to end. A mask is about *places*; made of ids it is right only as long as no text holds that id. Widely used
# collators have this fault with `pad_token = eos_token`; the other way out is a padding token that occurs nowhere else.

# %% [markdown] exercise="keeps_form" kind="implement" difficulty=2 minutes=15 claims=["M2"]
# ## Did it keep to the form?
# "At most 12 words", "as a JSON object", "end with these words": a program can tell. Write it.

# %%
def keeps_form(reply: str, form: dict) -> bool:
    """Whether a reply keeps all constraints of a form.

    Args:
        reply: what the model said.
        form: one or more of "most_words" (a number; words are separated by white space), "json"
            (True: the reply is one JSON object and nothing else) and "ends_with" (a text, to the
            letter; white space behind it does not matter).

    >>> keeps_form("Yes, it is.", {"most_words": 3})
    True
    >>> keeps_form("Yes, it is.", {"most_words": 3, "json": True})
    False
    """
    ### BEGIN SOLUTION
    if "most_words" in form and len(reply.split()) > form["most_words"]:
        return False
    if "ends_with" in form and not reply.rstrip().endswith(form["ends_with"]):
        return False
    if form.get("json"):
        try:
            return isinstance(json.loads(reply), dict)
        except ValueError:
            return False
    return True
    ### END SOLUTION


# %%
sheet.check(keeps_form)

# %% [markdown]
# **Investigate.** Ask a model you can use for ten replies under a form of your own, and let `keeps_form` count. Then ask for the
# same *without* saying the form. How many keep it by accident? That number is the control without which the first means
# little.

# %%
replies = ["Cats sleep for most of the day.", "Sure! Here are some facts about cats: they sleep."]
print([keeps_form(reply, {"most_words": 8}) for reply in replies])

# %% [markdown] tags=["commentary"]
# **How it works.** Each check is a parser or a count, never a look at the first character: models produce *nearly* JSON in every
# way there is. And a strict check needs a generous reading of white space, or it measures blanks.

# %% [markdown] exercise="leaks" kind="implement" difficulty=2 minutes=10 claims=["M1"]
# ## Is the task really unseen?
# "Generalises to unseen tasks" is a claim about the *test set*. Find the test records that spoil it: those of a family that was
# trained, and those whose text was, whatever family they are filed under.

# %%
def leaks(train: list[dict[str, str]], test: list[dict[str, str]]) -> list[int]:
    """Places in `test` of records that are not unseen.

    Args:
        train, test: records with "family" and "text"; texts are the same if they have the same
            words in the same order. Capitals, and how much white space lies between or around
            words, do not matter.

    >>> leaks([{"family": "sort", "text": "b a"}], [{"family": "sort", "text": "d c"}])
    [0]
    """
    ### BEGIN SOLUTION
    def folded(text):
        return " ".join(text.lower().split())

    families = {record["family"] for record in train}
    texts = {folded(record["text"]) for record in train}
    return [place for place, record in enumerate(test)
            if record["family"] in families or folded(record["text"]) in texts]
    ### END SOLUTION


# %%
sheet.check(leaks)

# %% [markdown] tags=["commentary"]
# **How it works.** Two sets and one pass. What it cannot find: the same task in other words under another name. That takes
# judgement, or near-duplicate search (lesson 07); it is why the lesson holds out whole *families*, chosen by hand.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/04_instruction_tuning.ipynb`.
