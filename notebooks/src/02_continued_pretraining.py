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
#     title: Continued pre-training
#     claims: [K9, K10, K11, M5]
#     minutes_cpu: 5
#     minutes_gpu: 3
# ---

# %% [markdown]
# # 02 · Continued pre-training
# **Question:** can a model learn a company's language, and stay up to date, without anybody labelling anything?
#
# Claims K9, K10, K11, M5 · about 5 minutes on two CPU cores, 3 on a GPU · after lesson 01

# %% [markdown]
# > **Exam words.** *Continued* (or *continuous*) *pre-training* goes on with a foundation model's own objective on more
# > **unlabelled** text: a domain's documents. *Catastrophic forgetting* is the price: what was known before gets worse.

# %%
import torch

import fmcourse as fm
from fmcourse import data, evaluate, models, show, train

course = fm.start("02", claims=["K9", "K10", "K11", "M5"])
base = models.load("base")
base

# %% [markdown]
# ## The documents
# The base from lesson 01 has read encyclopaedia, Bible and Shakespeare. Now it joins a company: here is that company's
# manual, the documentation of Amazon Web Services as it stood in November 2022.

# %% [markdown]
# It is real, large and dirty: HTML inside JSON. The card says what was stripped and dropped. Whole services are held out;
# the test below is about Lambda, DynamoDB and SageMaker, of which the model will read nothing.

# %%
manual = data.domain("aws-2022")
data.card(manual["train"])

# %%
page = manual["test"].filter(lambda row: row["name"] == "CreateTable")[0]["text"]
print(page[:420], "…")

# %% [markdown]
# **Predict.** Which words of that page will surprise the base most? (Dark means surprised.)

# %%
show.token_heatmap(evaluate.token_losses(base, page[:420]))

# %% [markdown]
# Endings and little words are easy. What surprises it is the vocabulary: not only `CreateTable` and `DynamoDB`, but
# *account*, *names*, *response*. It isn't stupid, it has never worked here.

# %% [markdown]
# ## The raw idea
# Lesson 01's loop, not one line different, except for where the network and the text come from.

# %%
network = base.copy().network.train()
optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4)
tokens = data.tokens(manual["train"], base.tokenizer)
rows = data.PackedRows(tokens, context=128, rows=16 * 8)
for step in range(8):
    ids = [rows[step * 16 + place]["tokens"] for place in range(16)]
    batch = torch.stack(ids)  # (16, 129)
    logits = network(batch[:, :-1]).logits  # (16, 128, 8192)
    truth = batch[:, 1:].flatten()
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(f"step {step}: surprise {loss.item():.2f} nats a token")

# %% [markdown]
# It starts far below ln 8192 ≈ 9, because English was learnt before. That head start is what you pay a provider for.

# %% [markdown]
# ## Not fine-tuning
# Two kinds of record. Continued pre-training takes *documents*; fine-tuning takes *pairs* of a prompt and the answer wanted.

# %%
pairs = data.operation_pairs(manual["validation"])
document = {"text": manual["validation"][3]["text"][:140]}
pair = {key: pairs[3][key] for key in ("prompt", "completion")}
print(document, pair, sep="\n\n")

# %% [markdown]
# **Predict.** Which tokens of each are graded, that is, count in the loss?

# %%
marked = data.graded(document, base.tokenizer)
show.mask_figure(marked["token"], marked["graded"], title="a document")

# %%
marked = data.graded(pair, base.tokenizer)
show.mask_figure(marked["token"], marked["graded"], title="a pair")

# %% [markdown]
# Of a document every token is a lesson (but the mark that opens it). Of a pair only the answer is, so that the model learns to *answer*, not to ask.

# %%
some = pairs.select(range(100)).select_columns(["prompt", "completion"])
pages = pairs.select(range(100)).select_columns(["page"]).rename_column("page", "text")
share = {kind: data.graded_share(records, base.tokenizer)
         for kind, records in (("pages", pages), ("pairs", some))}
course.claim("K11", treatment=share["pages"], control=share["pairs"])

# %% [markdown]
# ## The same, through the library
# Documents in, a model out. The learning rate is warmed up *again*: a finished model ended at a rate too low to learn by.
# And on the way the run looks at two held-out texts: the new kind, and the old.

# %% [markdown]
# **Predict.** Two curves, in bits per byte: the manual's and the encyclopaedia's. Which goes where, and by how much?

# %%
recipe = train.ContinuedRecipe.at_scale(replay_fraction=0.0)
alone = train.continued(base, manual, recipe, name="manual only")
alone

# %%
looks = alone.observations
curves = {kind: looks.rename(columns={f"{kind} bits per byte": "bits_per_byte"})
          for kind in ("domain", "general")}
show.loss_curve(curves, y="bits_per_byte")

# %% [markdown]
# Most of the gain comes in the first third. What the base knew before gets worse all the while: no one told the
# weights to keep it. What the curves don't say: whether mixing in a little old text would have prevented that.

# %% [markdown]
# ## The control
# Was it the *documents*, or just more training? The same number of tokens, of the general text it has always read.

# %%
general = data.general()
name = "more general text"
control = train.continued(base, general, recipe, general=general, name=name)
unread = data.excerpt(manual["test"], course.scale.eval_characters // 2)
bits = evaluate.bits_per_byte
course.claim("K9", treatment=bits(alone.model, unread),
             control=bits(control.model, unread))

# %% [markdown]
# These are services the model has read nothing of. It learnt how such pages are *written*: the words, the turns, the format.

# %% [markdown]
# ## Replay
# The oldest remedy: mix some of the old text into every batch. A quarter of the rows below are general text.

# %% [markdown]
# **Predict.** A quarter less of the manual is read. Which is larger: what that costs, or what it saves?

# %%
quarter = train.ContinuedRecipe.at_scale(replay_fraction=0.25)
mixed = train.continued(base, manual, quarter, name="with 25% replay")
old = data.held_out(characters=course.scale.eval_characters // 2)
course.claim("K9", metric="held-out general bits per byte",
             treatment=bits(mixed.model, old), control=bits(alone.model, old))

# %% [markdown]
# (Compare bits per byte within a cell only: each measures on texts of its own.) It saves far more than it costs: a
# quarter of the rows bought back most of what would have been forgotten.

# %% [markdown]
# All of it in one table: text, grammar, and questions such as "The acronym ARN stands for", with four expansions of one length.

# %%
short = evaluate.acronym_items(manual["train"]["text"][:], course.scale.questions)
pairs = course.scale.probes // 2
changes = evaluate.forgetting(base, mixed.model, old, unread, short, pairs)
show.table(changes, caption="with 25% replay")

# %% [markdown]
# Grammar loses little: *is* and *are* occur in manuals too, and a few pairs more or less are chance. The questions, at 25 % by chance, say that *style* comes long
# before *facts*: the model has read a few hundredths of the manual, once. Facts return below, where a page is read on purpose.

# %% [markdown]
# How much replay is right? The ledger tried five shares over three seeds, judged on held-out text. The first few per cent
# are nearly free; after that each step keeps a little more, and costs a little more.

# %%
new, kept = (measure["arms"] for measure in course.ledger("K9")["measures"])
front = [{"label": arm, "domain, bits per byte": x, "general, bits per byte": y}
         for arm in new for x, y in zip(new[arm], kept[arm], strict=True)]
show.trade_off(front, "domain, bits per byte", "general, bits per byte", start="base")

# %% [markdown]
# At the bottom right, *general text*, the control: it keeps nearly all it knew and learns nothing of the domain. Grey dots
# are single seeds; each is judged on texts of its own, so they shift together.

# %% [markdown]
# ## What changed in how it writes?

# %%
prompts = ["The king of", "To create a table, you must", "DeleteQueue is an"]
written = {m.name: evaluate.sample(m, prompts, tokens=24, temperature=0.7)
           for m in (base, mixed.model)}
samples = [{"label": name, "prompt": row["prompt"], "text": row["text"]}
           for name, table in written.items() for row in table.to_dict("records")]
show.samples_over_time(samples)

# %% [markdown]
# In places it now *sounds* like a manual, and in places like a Bible that has heard of one. It doesn't thereby become right:
# fluency in a domain and truth are two things.

# %% [markdown]
# ## Still no assistant
# **Predict.** It has read a manual that consists of instructions. Will it follow one now?

# %%
asked = evaluate.instructions(course.scale.instructions)
large = models.load("smollm2")
obeyed = {m.name: evaluate.overall(evaluate.instruction_rate(m, asked))
          for m in (base, alone.model, large)}
print({name: f"{rate:.0%} followed" for name, rate in obeyed.items()})
course.claim("K10", treatment=obeyed["manual only"], control=obeyed["smollm2"])

# %% [markdown]
# No: ours follows none, before and after. SmolLM2 shows that they can be followed: its publisher tuned it on instructions (it
# is also eleven times larger). But the domain base is a better *start*: tuned on the same 240 questions with answers, it is less surprised by the right answers to new ones.

# %%
tuned = course.ledger("K10")["measures"][1]
arms, control_arm = tuned["arms"], tuned["control"]
show.seeds(arms, control=control_arm, unit=tuned["metric"], better="lower")

# %% [markdown]
# ## Documents evolve
# Four years later the company has services that no page of 2022 knows. Here are a few, asked as questions with four answers
# of equal length. Chance is 25 %.

# %%
both = data.releases(course.scale.services)
limit = course.scale.questions
fresh = evaluate.operation_items(both.added(), limit, topic="new")
lasting = evaluate.operation_items(both.unchanged(), limit, topic="unchanged")
print(fresh[0]["prompt"], [fresh[0]["answer"], *fresh[0]["distractors"]])

# %% [markdown]
# The model of 2022 reads what is new in the release of 2026, about once, with a quarter of old pages replayed.

# %% [markdown]
# **Predict.** What will it answer before the refresh, and after? A page is read once, among two hundred thousand tokens.

# %%
news = {"train": both.news, "validation": manual["validation"]}
past = {"train": both.old, "validation": general["validation"]}
quarter = {"replay_fraction": 0.25, "learning_rate": 2e-3, "looks": 2}
recipe = train.ContinuedRecipe.at_scale(**quarter)
refreshed = train.continued(mixed.model, news, recipe, general=past, name="refreshed")

# %%
right = {m.name: evaluate.overall(evaluate.score_facts(m, fresh))
         for m in (mixed.model, control.model, refreshed.model)}
course.claim("M5", treatment=right["refreshed"], control=right["more general text"])

# %% [markdown]
# The name of a service was learnt from a page or two about each of its operations, with no label in sight. The control
# read general text only, and less of it; the ledger's read as much. Whether it can *explain* a service was not measured.

# %% [markdown]
# ## The honest alternative
# Changing weights is one way to be up to date. Its rival is to *look it up*, *retrieval-augmented generation* (RAG): find the
# page (BM25, a search by words), and let the old model read its first lines before the question. Nothing is trained.

# %%
search = data.Retriever(both.new["text"][:])
shown = data.with_passages(fresh, search)
looked_up = evaluate.overall(evaluate.score_facts(mixed.model, shown))
print(shown[0]["prompt"])
course.claim("M5", metric="2022 and retrieval / release of 2022",
             treatment=looked_up, control=right["with 25% replay"])

# %% [markdown]
# Retrieval answers at once, can be corrected by deleting a page, and says where it read it. For facts that change it is
# the advice of AWS, and ours. Continued pre-training is for the *language* of a domain, and for knowledge that stays.

# %%
stays = {m.name: evaluate.overall(evaluate.score_facts(m, lasting))
         for m in (base, mixed.model, refreshed.model)}
show.table([{"model": name, "what is new": right.get(name, float("nan")),
             "what is unchanged": share} for name, share in stays.items()],
           formats=dict.fromkeys(["what is new", "what is unchanged"], ".0%"))

# %% [markdown]
# Of 2022's manual the live model read only a few hundredths, so it hardly knows what is unchanged, and learns some of it
# from the old pages replayed. The ledger's models read far more; there the question can be judged.

# %% [markdown]
# ## What it cost

# %%
bill = {"pre-training, base": train.Cost(**base.card["cost"]),
        "continued, manual": alone.cost, "refreshed": refreshed.cost}
show.cost_bars(bill)

# %% [markdown]
# A hundredth of pre-training, and no labels. But the text must exist: AWS asks for billions of tokens of it.

# %% [markdown]
# | | older notes say | today (checked November 2026) |
# |---|---|---|
# | Its data | unlabelled documents of the domain | the same: `{"text": …}`, formerly `{"input": …}` |
# | Where on AWS | Amazon Bedrock, for Titan | Nova on SageMaker AI; no Bedrock method now. The guide names none |
# | How much | large amounts | tens of billions of tokens advised for Nova |
# | Staying current | feed it new reports regularly | retrieval for facts that change; this for language |
# | Afterwards | a domain-aware base | instruction tuning must follow, or follow again |

# %% [markdown]
# ## The ledger
# The same experiments at full size, over several seeds, with every control. First: what is new.

# %%
fresh, kept = course.ledger("M5")["measures"][:2]
show.seeds(fresh["arms"], control=fresh["control"], unit=fresh["metric"])

# %% [markdown]
# And what is unchanged since 2022. Refreshed without replay, part of it is lost again; with a quarter of old pages, nothing.

# %%
show.seeds(kept["arms"], control=kept["control"], unit=kept["metric"])

# %% [markdown]
# Not in these pictures: general text, which no one replayed here. It became half a bit per byte worse in both refreshed arms.

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A bank has ten years of reports and no labels. How does a model learn its language?* Continued pre-training.
# - *It has 500 questions with answers.* Fine-tuning: labelled pairs.
# - *Prices change daily; the assistant must quote them.* Retrieval (RAG), not training.
# - *After training on medical text the model got worse at everything else.* Catastrophic forgetting; replay general data.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("02")

# %% [markdown]
# ## Yours to try
# Your own folder of text, in a terminal: `fmcourse train continued --data my-folder --replay 0.1`. It says what it
# learnt and what it forgot. Or here: `general_rise=0.1` in the recipe stops the run when forgetting passes that bound.
