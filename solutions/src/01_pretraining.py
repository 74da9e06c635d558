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
# # 01 · Exercises: pre-training
# What you write here is what every training program has inside: documents become rows, rows become labels, a mask says who
# may look where, and one number says how well it went.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. It tells you that you are right, or names
# the mistake. `sheet.hint("pack")` gives a hint, `sheet.hint("pack", 2)` the last one. Everything runs in seconds on a CPU.

# %%
import math

import torch
from torch import nn

import fmcourse as fm

sheet = fm.classroom.sheet("01")

# %% [markdown] exercise="predicted_losses" kind="predict" difficulty=1 minutes=5 claims=["K1"]
# ## What should the first number be?
# Whoever knows what a loss *should* be sees at the first line of a log whether something is broken. Two models, and the loss
# in nats that PyTorch will print for each:
#
# - *uniform*: an untrained model with a vocabulary of 1,000 tokens;
# - *frequencies*: a language has two tokens, one in nine of ten places. The model knows that, and nothing more.

# %%
def predicted_losses() -> dict[str, float]:
    """Your predictions, as numbers or as a computation.

    Returns:
        {"uniform": nats a token, "frequencies": nats a token}, to within two per cent.

    >>> ", ".join(sorted(predicted_losses()))
    'frequencies, uniform'
    """
    ### BEGIN SOLUTION
    return {"uniform": math.log(1000),
            "frequencies": -0.9 * math.log(0.9) - 0.1 * math.log(0.1)}
    ### END SOLUTION


# %%
sheet.check(predicted_losses)

# %% [markdown]
# **Now run it.** An untrained network's logits are nearly equal, and a logit each is enough to know frequencies.

# %%
tokens = (torch.rand(10_000) < 0.1).long()  # the rare token is number 1
known = torch.tensor([0.9, 0.1]).log().expand(10_000, 2)
untrained = 0.02 * torch.randn(10_000, 1000)
print(f"uniform {nn.functional.cross_entropy(untrained, torch.randint(0, 1000, (10_000,))):.3f}")
print(f"frequencies {nn.functional.cross_entropy(known, tokens):.3f}")

# %% [markdown] tags=["commentary"]
# **Why.** Surprise at a token of probability *p* is −ln *p*. With 1,000 equally likely tokens that is ln 1000 ≈ 6.91, wherever
# you look. Of the two tokens the frequent one surprises by 0.105, the rare one by 2.303; weighted by how often they come that
# is 0.325, the *entropy* of the language's frequencies. No model without context gets below it. A first loss far above ln of
# the vocabulary means that the network starts out sure of something wrong: look at its initialisation, or at the labels.

# %% [markdown] exercise="pack" kind="implement" difficulty=2 minutes=15 claims=["K1"]
# ## Packing
# Padding costs as much as text and teaches nothing. So put all documents into one long list, an end token behind each, and
# cut it into rows. A row has `context + 1` tokens, since each of its `context` inputs needs a target; so that no token is
# lost as a target, the last token of a row is also the first of the next.

# %%
def pack(documents: list[list[int]], end: int, context: int) -> torch.Tensor:
    """Rows of a packed training set.

    Args:
        documents: token ids of each document.
        end: the token that goes behind every document.
        context: inputs in a row.

    Returns:
        (rows, context + 1) int64; what does not fill a row is left out.

    >>> pack([[5, 6], [7, 8, 9]], end=0, context=3).tolist()
    [[5, 6, 0, 7], [7, 8, 9, 0]]
    """
    ### BEGIN SOLUTION
    stream = torch.tensor([token for document in documents for token in [*document, end]])
    rows = (len(stream) - 1) // context
    return torch.stack([stream[row * context:row * context + context + 1]
                        for row in range(rows)])
    ### END SOLUTION


# %%
sheet.check(pack)

# %% [markdown] tags=["commentary"]
# **How it works.** A stream of *n* tokens has *n* − 1 pairs of a token and its successor, and a row uses `context` of them:
# hence `(len(stream) - 1) // context` rows. The overlap of one token is easily forgotten. Without it one target in
# `context + 1` is lost: little at a context of 4,096, a fifth at 4. `stream.unfold(0, context + 1, context)` does the same in
# one call.

# %% [markdown] exercise="inputs_and_labels" kind="implement" difficulty=3 minutes=15 claims=["K1", "K2"]
# ## The text is its own label
# From a packed row come the inputs and, moved by one, the labels. At a boundary the last token of a document would have to
# guess how an unrelated one begins: such places get the label −100, which PyTorch's loss leaves out.

# %%
def inputs_and_labels(tokens: torch.Tensor,
                      documents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model reads and what it is asked for.

    Args:
        tokens: (batch, time + 1) int64, packed.
        documents: (batch, time + 1) int64: the number of the document each token is of.

    Returns:
        inputs and labels, both (batch, time) int64; -100 where the next token is another
        document's.

    >>> inputs, labels = inputs_and_labels(torch.tensor([[5, 6, 7]]), torch.tensor([[0, 0, 1]]))
    >>> inputs.tolist(), labels.tolist()
    ([[5, 6]], [[6, -100]])
    """
    ### BEGIN SOLUTION
    crosses = documents[:, 1:] != documents[:, :-1]
    return tokens[:, :-1], tokens[:, 1:].masked_fill(crosses, -100)
    ### END SOLUTION


# %%
sheet.check(inputs_and_labels)

# %% [markdown] tags=["commentary"]
# **How it works.** Label *t* is token *t* + 1, so the boundary to look at lies *between* the two, and the mask is moved just
# as the labels are. The dangerous mistake is to forget to move: the loss then falls faster than it ever should, because the
# answer stands in the input. A loss near zero is a reason to be suspicious. (The transformers library moves `labels` itself:
# there you pass `labels=tokens`, and moving twice is the mistake.)

# %% [markdown] exercise="attention_mask" kind="implement" difficulty=3 minutes=15 claims=["K2"]
# ## Who may look where
# A causal model sees what came before, and itself. In a packed row it must not see the documents before its own.

# %%
def attention_mask(documents: torch.Tensor) -> torch.Tensor:
    """Which token (query) may attend to which (key).

    Args:
        documents: (batch, time) int64: the number of the document each token is of.

    Returns:
        (batch, time, time) bool, [batch, query, key]; True: it may look.

    >>> attention_mask(torch.tensor([[0, 0, 1]])).int().tolist()
    [[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]
    """
    ### BEGIN SOLUTION
    time = documents.shape[1]
    causal = torch.ones(time, time, dtype=torch.bool).tril()
    same = documents[:, :, None] == documents[:, None, :]
    return causal & same
    ### END SOLUTION


# %%
sheet.check(attention_mask)

# %% [markdown] tags=["commentary"]
# **How it works.** `tril` keeps the lower triangle: rows are queries, columns are keys, and a key may be as late as the query
# itself. Comparing `documents` with itself along two new axes gives a block for each document. A masked model (BERT) keeps
# the second condition and drops the first. Note the convention: in `scaled_dot_product_attention` True means *may look*, in
# `nn.MultiheadAttention` True means *may not*.

# %% [markdown] exercise="bits_per_byte" kind="implement" difficulty=2 minutes=10 claims=["K1", "K5"]
# ## Bits per byte
# Loss per token cannot compare two models that cut text into different tokens. Surprise per *byte* can.

# %%
def bits_per_byte(nats: list, texts: list[str]) -> float:
    """Surprise per byte of text.

    Args:
        nats: for each text, an array of its tokens' losses in nats.
        texts: the texts, as many.

    Returns:
        Bits per UTF-8 byte of all texts together.

    >>> round(bits_per_byte([[0.6931, 0.6931]], ["ab"]), 3)  # two tokens of one bit, two bytes
    1.0
    """
    ### BEGIN SOLUTION
    bits = sum(sum(losses) for losses in nats) / math.log(2)
    return bits / sum(len(text.encode()) for text in texts)
    ### END SOLUTION


# %%
sheet.check(bits_per_byte)

# %% [markdown] tags=["commentary"]
# **How it works.** Add up, then divide once: the average of averages would give a tweet the weight of a book. Bytes and not
# characters, since a byte is the same for everybody. Eight bits per byte is knowing nothing; zipped English needs two to three;
# good models need less than one.

# %% [markdown]
# **Investigate.** Take a text of your own that the base cannot have read, and one from any encyclopaedia. Which surprises it
# more? And the first one with its words in reverse order?

# %%
base = fm.models.load("base")
mine = "Put your own text here: a message, a recipe, a page of notes. Ten lines are best."
for name, text in {"mine": mine, "reversed": " ".join(reversed(mine.split()))}.items():
    losses = fm.evaluate.token_losses(base, text)["nats"].dropna()
    print(f"{name}: {losses.sum() / math.log(2) / len(text.encode()):.2f} bits per byte")

# %% [markdown] exercise="train_step" kind="debug" difficulty=3 minutes=15 claims=["K1"]
# ## A step that goes wrong
# A colleague's step looks fine, and its loss falls quickly. Far too quickly: on *random* tokens there is nothing to learn,
# and a loss cannot honestly stay below ln 50 ≈ 3.9. Run it.

# %%
def faulty_step(network, optimizer, batch):
    logits = network(batch[:, :-1])  # (rows, time, vocabulary)
    labels = batch[:, :-1]
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    loss.backward()
    optimizer.step()
    return loss.item()


torch.manual_seed(0)
network = nn.Sequential(nn.Embedding(50, 32), nn.Linear(32, 50))
optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
noise = torch.randint(0, 50, (30, 16, 33))
print([round(faulty_step(network, optimizer, batch), 1) for batch in noise][::4])

# %% [markdown]
# Two faults, of two kinds. Copy the body into the cell below and mend it.

# %%
def train_step(network: nn.Module, optimizer: torch.optim.Optimizer,
               batch: torch.Tensor) -> float:
    """One step of training on next-token prediction.

    Args:
        network: gives logits (rows, time, vocabulary) for ids (rows, time).
        optimizer: of the network's weights.
        batch: (rows, time + 1) int64.

    Returns:
        The mean loss in nats a token, before the step.

    >>> even = nn.Embedding(5, 5)  # ids to logits, all of them 0
    >>> _ = nn.init.zeros_(even.weight)
    >>> stay = torch.optim.SGD(even.parameters(), lr=0.0)
    >>> round(train_step(even, stay, torch.tensor([[1, 2, 3]])), 3)  # ln 5
    1.609
    """
    ### BEGIN SOLUTION
    logits = network(batch[:, :-1])  # (rows, time, vocabulary)
    labels = batch[:, 1:]
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %%
sheet.check(train_step)

# %% [markdown] tags=["commentary"]
# **What was wrong.** The labels were not moved, so the network learnt to copy. And PyTorch *adds* each new gradient to what is
# there: without `zero_grad()` every step also repeats all earlier ones, like a ball that never loses speed. The second fault
# hides behind the first. `zero_grad()` may stand anywhere but between `backward()` and `step()`.

# %% [markdown] exercise="training_days" kind="implement" difficulty=2 minutes=10 claims=["K4", "K5"]
# ## How long would it take?
# Pre-training a transformer takes about six operations for each parameter and each token. Before you ask for a cluster, do
# the sum.

# %%
def training_days(parameters: float, tokens: float, peak: float, utilisation: float) -> float:
    """Days that pre-training takes.

    Args:
        parameters: of the model.
        tokens: that it reads.
        peak: floating-point operations a second that the hardware could do.
        utilisation: the share of them that is reached, from 0 to 1.

    >>> round(training_days(1e9, 2e10, 4e14, 0.4), 1)
    8.7
    """
    ### BEGIN SOLUTION
    operations = 6 * parameters * tokens
    return operations / (peak * utilisation) / 86_400
    ### END SOLUTION


# %%
sheet.check(training_days)

# %% [markdown]
# **Investigate.** What would the course's base take on such a card? And a published model of 8 billion parameters that read 15 trillion tokens? Then read claim K5 again.

# %%
read = base.card["cost"]["tokens"]
for name, size, tokens in (("ours", base.parameters, read), ("8 billion", 8e9, 1.5e13)):
    print(f"{name}: {training_days(size, tokens, 4e14, 0.4):,.5f} days on one such card")

# %% [markdown] tags=["commentary"]
# **How it works.** A parameter is used in one multiplication and one addition on the way forwards (2), and twice that on the
# way back (4), since both the inputs' and the weights' gradients are needed. The published model would occupy one card for
# more than a hundred years. That is why you choose a base instead of making one.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/01_pretraining.ipynb`. Read them *after* your check has passed: they say what the
# check cannot, namely why.
