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
#   fmcourse:
#     title: Pre-training
#     claims: [K1, K2, K3, K4, K5]
#     minutes_cpu: 5
#     minutes_gpu: 2
# ---

# %% [markdown]
# # 01 · Pre-training
# **Question:** what can a network learn from nothing but text, if all it ever does is guess the next piece?
#
# Claims K1–K5 · about 5 minutes on two CPU cores, 2 on a GPU · after lesson 00

# %% [markdown]
# > **Exam words.** *Pre-training* teaches a *foundation model* from vast, broad, **unlabelled** data by
# > **self-supervised learning**: the text itself supplies the answers. It needs by far the most compute of all phases.

# %%
import torch

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train

course = fm.start("01", claims=["K1", "K2", "K3", "K4", "K5"])
course.hardware

# %% [markdown]
# ## The text
# Encyclopaedia passages, a modern Bible, Shakespeare. Nobody labelled any of it.

# %% [markdown]
# The card says where every text came from, under which licence, and what was dropped on the way.
# Whole books and articles are held out, so that the test cannot be answered from memory.

# %%
corpus = data.general()
reading = data.sample(corpus["train"], course.scale.documents)
test = data.held_out(seed=0, characters=course.scale.eval_characters)
data.card(reading)

# %% [markdown]
# A model reads *tokens*: pieces of words, numbered. Ours were learnt from this corpus: frequent strings
# became one token, rare ones are spelt out. The sign `Ġ` is the space before a word.

# %%
base = models.load("base")
tokens = data.tokens(reading, base.tokenizer)
print(base.tokenizer.tokenize("The foundations of Jerusalem were rebuilt in 1537."))
tokens

# %% [markdown]
# ## Where this is heading
# The base model that ships with the course was made like this, in 77 minutes on two processor cores. Its surprise
# at the next token, in *nats* (one nat is 1.44 bits), as it read the text four times over:

# %%
import pandas as pd

show.loss_curve({"base": pd.DataFrame(base.card["curve"])}, log_x=True)

# %% [markdown]
# The little steps down near the end are where it meets the same text again: part of that is memory, not skill.
# So every judgement below is made on text that was held out.

# %% [markdown]
# ## The raw idea
# A dozen lines of plain PyTorch. Take a window of tokens, let the network guess each one from those before it, and
# move the weights so that the right guess becomes likelier. There is nothing else.

# %% [markdown]
# **Predict.** A network that knows nothing is equally surprised by all tokens of its vocabulary.
# How many nats is that for 8,192 tokens? (Hint: a natural logarithm.)

# %%
network = models.build("tiny", base.tokenizer).network.train()
optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
rows = data.PackedRows(tokens, context=128, rows=16 * 8)
for step in range(8):
    ids = [rows[step * 16 + place]["tokens"] for place in range(16)]
    batch = torch.stack(ids)  # (16, 129)
    logits = network(batch[:, :-1]).logits  # (16, 128, 8192): a guess at every position
    truth = batch[:, 1:].flatten()
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth)
    loss.backward()  # how should each weight change?
    optimizer.step()
    optimizer.zero_grad()
    print(f"step {step}: surprise {loss.item():.2f} nats a token")

# %% [markdown]
# The first number is ln 8192 ≈ 9.01, as predicted: pure ignorance. No label was needed, because
# the next token *is* the label. That is what **self-supervised** means.

# %% [markdown]
# ## The same, through the library
# The same loss with what makes it fast and safe: rows filled to the brim (*packed*), the optimiser Muon, bfloat16, a
# learning rate that rises, stays and falls, checkpoints. `at_scale()` fits the budget to this machine; here it is:

# %% [markdown]
# **Predict.** What will the model write after "The king of" when it has read nothing, a tenth, all of its budget?

# %%
prompts = ["The king of", "The United States is", "In the beginning"]


def look(model, share):
    table = evaluate.sample(model, prompts, tokens=20, temperature=0.7)
    return {"texts": list(table["text"])}


# %%
recipe = train.PretrainRecipe.at_scale()
fresh = models.build(course.scale.live_size, base.tokenizer)
print(fresh, recipe, sep="\n")
run = train.pretrain(fresh, tokens, recipe, name="real text", observe=look)

# %%
unigram = evaluate.NGram(1).fit(tokens, len(base.tokenizer))
surprise = float(unigram.nats([tokens.ids[:50_000]])[0].mean())
baseline = {"knows word frequencies only": surprise}
show.loss_curve({"real text": run.history}, smooth=0.8, baselines=baseline)

# %% [markdown]
# The grey line is a model that knows how often each token occurs and nothing more. Below it, the network uses *context*.
# What the curve doesn't say: whether it learnt the language or this text by heart. Only held-out text can tell.

# %%
stages = run.observations.explode("texts").rename(columns={"texts": "text"})
stages["prompt"] = prompts * len(run.observations)
stages["label"] = [f"{share:.0%} of training" for share in stages["share"]]
show.samples_over_time(stages)

# %% [markdown]
# Word soup, then frequent words, then phrases that hold together for a few words. Order appears on its own.
# None of it is *true* yet: fluency comes long before facts.

# %% [markdown]
# ## Where is it surprised?
# The darker a token, the less the model expected it. Little words come easily; the words that carry the meaning don't.

# %%
sentence = "The people of the city gathered at the gate, and the king spoke to them."
show.token_heatmap(evaluate.token_losses(run.model, sentence))

# %% [markdown]
# ## The control
# Is it *language* that was learnt, or just word counts? Same words, same line ends, same budget, but the words of each
# text shuffled.

# %% [markdown]
# **Predict.** Will the shuffled model's surprise at real text be higher, lower or equal?

# %%
shuffled = data.tokens(data.shuffle_words(reading), base.tokenizer)
control = train.pretrain(fresh, shuffled, recipe, name="shuffled words")
bits = evaluate.bits_per_byte
course.claim("K1", treatment=bits(run.model, test), control=bits(control.model, test))

# %% [markdown]
# Bits per byte count surprise per *byte* of held-out text, so that models with different tokens can be compared, but only
# on the same text. The gap is what word order taught. How much of that is grammar, the next test says.

# %% [markdown]
# ## Grammar, from guessing
# "The keys to the cabinet **are** / **is** old": nobody told the model which is right. Which does it find likelier?

# %% [markdown]
# We ask the base model that ships with this course: the same code as above, run for an hour instead of a minute.
# Chance is 50 %; the untrained twin is the control. One pair of each kind, named as linguists do:

# %%
pairs = evaluate.minimal_pairs(limit=course.scale.probes)
kinds = pairs.to_pandas().drop_duplicates("phenomenon")
show.table(kinds[["phenomenon", "good", "bad"]])

# %%
blank = models.untrained(base)
grammar = {model.name: evaluate.score_pairs(model, pairs) for model in (base, blank)}
show.pairs_bars(grammar)

# %%
right = {name: evaluate.overall(table) for name, table in grammar.items()}
course.claim("K1", metric="base: grammar pairs right",
             treatment=right["base"], control=right["untrained"])

# %% [markdown]
# Most kinds are mostly right; the tense that goes with "yesterday" was not learnt. The bars are intervals over few pairs,
# so neighbours in the picture may swap. It is *not* understanding: the model has no rule, only likelihoods.

# %% [markdown]
# When did that ability appear? The base was kept at six moments of its training and asked each time.

# %%
stages = pd.DataFrame(base.card["emergence"])
shares = dict.fromkeys(["share", "grammar_pairs", "facts"], ".0%")
show.table(stages[["share", "bits_per_byte", "grammar_pairs", "facts"]], formats=shares)

# %%
written = stages.explode("samples")
texts = pd.DataFrame(list(written["samples"]))
texts["label"] = [f"{share:.0%} of training" for share in written["share"]]
show.samples_over_time(texts[texts["prompt"] == "The city of"])

# %% [markdown]
# Surprise falls from the first step; grammar follows, and facts come last (268 questions with four answers: 25 % is
# guessing). So small a model, after so little text, stays a bad encyclopaedia: it lacks reading, not cleverness.

# %% [markdown]
# ## Two classic objectives
# A **causal** model (GPT, Llama, Nova) guesses the next token. A **masked** model (BERT) fills blanks.

# %% [markdown]
# The difference is who may look where: a causal position sees only its left, a masked one both sides.

# %%
show.attention_pattern(tokens=["The", "king", "of", "Israel", "spoke"])

# %%
words = base.tokenizer.tokenize("The king of Israel spoke to the people")
words = [word.replace("Ġ", " ") for word in words]
causal = ["read"] + ["scored"] * (len(words) - 1)
hidden = ["hidden" if place in (1, 5) else "read" for place in range(len(words))]
show.mask_figure(words, {"causal": causal, "masked": hidden})

# %% [markdown]
# **Predict.** Same text, same size, same budget: which objective learns faster? Count the guesses each gets per row.

# %%
simple = data.only(corpus["train"], "web-bible")  # one small book with simple sentences
verses = data.tokens(simple, base.tokenizer)
budget = course.scale.small_tokens
recipe = train.PretrainRecipe.at_scale(tokens=budget, learning_rate=5e-3)
taught = {}
for objective in ("causal", "masked"):
    network = models.build(course.scale.small_size, base.tokenizer, objective)
    taught[objective] = train.pretrain(network, verses, recipe, name=objective)

# %%
unigram = evaluate.NGram(1).fit(verses, len(base.tokenizer))
surprise = float(unigram.nats([verses.ids[:50_000]])[0].mean())
show.loss_curve(taught, smooth=0.8, baselines={"knows word frequencies only": surprise})

# %% [markdown]
# The masked model is graded on three tokens in ten, the causal one on all: so it learns more slowly.
# The two losses are *not* the same quantity; compare each with the grey line, not with each other.

# %%
masked = taught["masked"].model
evaluate.fill_in(masked, "And the king of [MASK] said to the people")

# %% [markdown]
# Did they learn more than word frequencies? The control, a *unigram* model, always names the most frequent token.

# %%
unread = data.only(corpus["test"], "web-bible")["text"][:]
right = evaluate.next_token_accuracy(taught["causal"].model, unread)
guess = evaluate.favourite_accuracy(verses, unread, base.tokenizer)
course.claim("K2", treatment=right, control=guess)

# %%
both = evaluate.masked_accuracy(masked, unread)
course.claim("K2", metric="masked, both sides / unigram", treatment=both, control=guess)

# %% [markdown]
# Does the masked one really use *both* sides? Cover the right one and its guesses should get worse.

# %%
seen = evaluate.one_blank_accuracy(masked, unread, right_side=True)
covered = evaluate.one_blank_accuracy(masked, unread, right_side=False)
course.claim("K2", metric="masked: lone blank right", treatment=seen, control=covered)

# %% [markdown]
# Only the causal model can write on; only the masked one can use what comes later.
# Today's foundation models for text generation are causal; masked ones live on in embeddings and classification.

# %% [markdown]
# ## More compute, less surprise
# Four sizes, each with a budget to match. If loss falls as a straight line on these axes, it is a **power law**.

# %% [markdown]
# **Predict.** How much more compute halves the bits per byte: ten times, a thousand times, more?

# %%
rungs = []
for place, size in enumerate(course.scale.ladder, start=1):
    budget = course.scale.ladder_tokens * place // len(course.scale.ladder)
    recipe = train.PretrainRecipe.at_scale(tokens=budget)
    rung = train.pretrain(models.build(size, base.tokenizer), tokens, recipe, name=size)
    held_out = bits(rung.model, test)
    point = {"group": size, "flops": rung.cost.flops, "bits_per_byte": held_out}
    rungs.append(point)
show.scaling(rungs, y="bits_per_byte")

# %%
losses = [point["bits_per_byte"] for point in rungs]
law = evaluate.fit_power_law([point["flops"] for point in rungs], losses)
print(f"Half the bits per byte at {2 ** (1 / law.b):,.0f} times the compute")
course.claim("K4", treatment=losses[-1], control=losses[0])

# %% [markdown]
# A small exponent means an expensive habit: every further step down costs a *multiple* of all before it.
# Four points cannot prove a power law; published ones, over many more decades, found the same.

# %% [markdown]
# ## What it costs, beside fine-tuning
# Now tune the base on 200 real questions with answers: *fine-tuning*, lesson 04's subject. Only the bill matters here.

# %%
from fmcourse.evidence.experiments.scaling import tune_on_answers

tuned = tune_on_answers(base, examples=200, epochs=course.scale.epochs)
bill = {"pre-training, live": run.cost,
        "pre-training, base": train.Cost(**base.card["cost"]),
        "fine-tuning, 200 pairs": tuned.cost}
show.cost_bars(bill)

# %%
course.claim("K4", metric="training FLOPs",
             treatment=base.card["cost"]["flops"], control=tuned.cost.flops)

# %% [markdown]
# Compute is size times text read, so the ratio is how much more was *read*: the minute of pre-training above cost no more
# than the tuning. And our base is tiny: a published 8-billion-parameter model read 15 trillion tokens, half a *billion*
# times the compute of ours. Curated text of that size is tens of terabytes (older notes say petabytes).

# %% [markdown]
# ## A base model is no assistant
# It continues text. Ask it to do something and it carries on writing.

# %% [markdown]
# **Predict.** "Reply with one word only: what colour is the sky on a clear day?" What will a model do that has only ever
# continued books? We ask SmolLM2 too: the version of it that was tuned on instructions.

# %%
large = models.load("smollm2")
asked = evaluate.instructions(course.scale.instructions)
print(len(asked), "instructions, such as:", asked[0]["instruction"])
obeyed = {m.name: evaluate.instruction_rate(m, asked) for m in (base, large)}
rate = {name: evaluate.overall(table) for name, table in obeyed.items()}
course.claim("K3", treatment=rate["smollm2"], control=rate["base"])

# %%
question = "Reply with one word only: what colour is the sky on a clear day?"
print("base:   ", base.generate(question, tokens=24, temperature=0))
chat = large.tokenizer.apply_chat_template(
    [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)
print("SmolLM2:", large.generate(chat, tokens=24, temperature=0))

# %% [markdown]
# The tuned model answers, if not always in the form asked for: it obeyed a third of the instructions. It is larger *and*
# tuned; both differ. Lesson 04 separates them: it tunes our very base and asks the same questions again.

# %% [markdown]
# ## Why you would not pre-train
# Providers publish models. SmolLM2-135M read some two trillion tokens. What does that buy on the same text?
# (These numbers, as all bits per byte, compare only within this picture.)

# %%
size = course.scale.published_characters
few = {name: data.held_out(characters=size, source=name)
       for name in ("boolq-passages", "web-bible")}
ours, theirs = bits(base, few), bits(large, few)
show.before_after(ours, theirs, unit="bits per byte, base and then SmolLM2")

# %% [markdown]
# On encyclopaedia passages, scale wins clearly. On scripture the small model keeps up: a quarter of all
# it ever read was this book's other parts. A *specialist* needs less; lesson 02 makes use of that.

# %%
course.claim("K5", treatment=theirs["boolq-passages"], control=ours["boolq-passages"])

# %% [markdown]
# Two caveats: these passages are old and public, so SmolLM2 has most likely read them, which flatters it; and ours is its
# instruction-tuned version, which may read plain text a little worse. Neither was measured here.

# %% [markdown]
# | | older notes say | today (checked November 2026) |
# |---|---|---|
# | Where base models come from | Bedrock, SageMaker JumpStart, open hubs | the same |
# | Amazon's own models | Titan family | Nova, as in the exam guide; Titan Text is end-of-life |
# | Continued pre-training | on Bedrock, for Titan | Nova on SageMaker AI; not a Bedrock method now |
# | Data for pre-training | petabytes | tens of terabytes of curated text |
# | Kind of learning | "unsupervised" | self-supervised |

# %% [markdown]
# ## The ledger
# One live run proves little. The ledger holds the same experiments, some with a larger budget: over three seeds where
# something is trained, item by item where fixed models are compared. So its bounds are stricter than the live ones.

# %%
entry = course.ledger("K1")
arms, control_arm, metric = (entry[key] for key in ("arms", "control", "metric"))
show.seeds(arms, control=control_arm, unit=metric, better="lower")

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *Which phase needs the most data and compute?* Pre-training.
# - *Which kind of learning needs no labels and makes its own from the text?* Self-supervised.
# - *A model continues your question instead of answering it. Why?* It is a base model; it needs instruction tuning.
# - *You need a general model soon and cheaply. What do you do?* Choose a published one; do not pre-train.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("01")

# %% [markdown]
# ## Yours to try
# Change one thing here in JupyterLab and choose *Run → Run All Cells*: zero the learning rate
# (`PretrainRecipe.at_scale(learning_rate=0.0)`), or train on `shuffled` as the treatment. The claim cell must fail
# (at the cpu scale; smoke judges nothing). Then on to lesson 02: teaching this base a company's language.
