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
#     title: Distillation
#     claims: [K12]
#     minutes_cpu: 5
#     minutes_gpu: 1
# ---

# %% [markdown]
# # 12 · Distillation
# **Question:** what can a small model learn from a large one that it cannot learn from the data?
#
# Claim K12 · about 5 minutes on two CPU cores, 1 on a GPU · after lesson 04

# %% [markdown]
# > **Exam words.** In *distillation* a large **teacher** answers prompts, and a small **student** is trained on its answers.
# > The student is a network of its own: faster and cheaper to run, and nearly as good at what it was taught.

# %%
import warnings

import pandas as pd
import torch

import fmcourse as fm
from fmcourse import aws, data, models, show, train
from fmcourse.errors import CourseError, CourseWarning
from fmcourse.evidence.experiments import distillation as k12
from fmcourse.train.losses import distillation_loss, likeliest

course = fm.start("12", claims=["K12"])
base = models.with_chat(models.load("base"))

# %% [markdown]
# ## More than one right answer
# A text is a poor teacher: at each place it shows one word, and says nothing of those that would have been as good. The
# base, our teacher, has an opinion of them all. **Predict.** What does it expect after these words?

# %%
begun = base.tokenizer("The king sent his", return_tensors="pt")
with torch.no_grad():
    opinion = base(input_ids=begun.input_ids).logits[0, -1].float()  # (vocabulary,)
first = opinion.topk(6).indices
show.table([{"next": base.tokenizer.decode([token]).strip(), **{
    f"T = {t}": f"{(opinion / t).softmax(-1)[token]:.1%}" for t in (0.5, 1, 2, 4)}}
    for token in first.tolist()])

# %% [markdown]
# Geoffrey Hinton called it *dark knowledge*: how likely the *wrong* words are says what the teacher knows of the world. A
# *temperature* T above 1 shows more of it: all logits are divided by T, and the unlikely become less so.

# %% [markdown]
# ## The raw idea
# Compare two distributions at each token, the teacher's and the student's, by the KL divergence, and make it small. The
# factor T² keeps gradients of a similar size at each temperature.

# %%
def divergence(student, teacher, temperature):
    """T² KL(teacher ‖ student), of (positions, vocabulary) logits."""
    p = (teacher / temperature).log_softmax(-1)
    q = (student / temperature).log_softmax(-1)
    return temperature**2 * (p.exp() * (p - q)).sum(-1).mean()


# %%
small = models.student(base, k12.SIZES["1/8"])
texts = k12.to_write(300 if course.scale.enforce else 12, seed=0)
raw, losses = small.copy(), []
optimizer = torch.optim.AdamW(raw.network.parameters(), lr=3e-3)
for text in texts["text"][:96]:
    ids = base.tokenizer(text, return_tensors="pt").input_ids[:, :64]
    with torch.no_grad():
        wanted = base(input_ids=ids).logits[0].float()  # (positions, vocabulary)
    found = raw(input_ids=ids).logits[0].float()
    loss = divergence(found, wanted, temperature=2.0)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
thirds = torch.tensor(losses).tensor_split(3)
print("T² KL in nats, means over thirds:", [round(part.mean().item(), 2)
                                            for part in thirds])

# %% [markdown]
# No label was read: the text only decided where the teacher was asked. In practice one mixes both, with a weight α for the
# teacher and 1 − α for the words as they are.
#
# The library keeps the teacher's 64 likeliest tokens of each position, and all others as one: 260 bytes
# (64 numbers and 64 names of two bytes each, and the rest in four) instead of 16 kB.

# %%
here, rows = ids[0, 1:], []
for temperature in (1.0, 2.0):
    kept = {}
    for k in (8, 64, 8191):
        opinions = likeliest(wanted[:-1], k, temperature)
        part = distillation_loss(found[:-1], here, opinions, temperature, alpha=0.7)
        kept[f"{k} kept"] = part.kl.item()
    rows.append({"T": temperature, **kept,
                 "raw": divergence(found[:-1], wanted[:-1], temperature).item()})
assert all(abs(row["8191 kept"] - row["raw"]) < 1e-3 for row in rows)
show.table(rows)

# %% [markdown]
# With all tokens kept it is the raw idea's number. With 64 something is lost, how the rest is shared out; the more, the
# higher the temperature. Below, T is 1 and α is 1: no label at all.

# %% [markdown]
# ## By logits: the same text, read twice
# Two students of an eighth of the teacher's size, from the same random weights, read the same texts in the same order, as
# often. The control learns from the text alone, as in lesson 01.

# %%
held = k12.to_write(50 if course.scale.enforce else 4, seed=0, part="test")
settings = {**k12.WRITING, "tokens": course.scale.instruct_tokens // 2}
alone = train.instruct(small, texts, train.InstructRecipe(**settings),
                       name="the text alone", show_progress=False)
heard = train.distil(small, base, texts, train.LogitRecipe(**settings, **k12.SOFT),
                     name="the teacher's logits", show_progress=False)
print(f"{small.parameters / base.parameters:.0%} of the teacher's parameters")

# %% [markdown]
# **Predict.** Both have seen each word a few times. Which of them will be less surprised by texts that neither has read?

# %%
bits = {name: k12.surprise(model, held) for name, model in {
    "teacher": base, heard.name: heard.model, alone.name: alone.model}.items()}
print({name: round(value, 2) for name, value in bits.items()})
course.claim("K12", metric=k12.BITS, treatment=bits[heard.name],
             control=bits[alone.name])

# %%
logits = course.ledger("K12", k12.BITS)
show.seeds({arm: logits["arms"][arm] for arm in (k12.LOGITS, k12.TEXT)},
           control=k12.TEXT, unit=logits["metric"], better="lower")

# %% [markdown]
# The teacher has read hundreds of times as much. Of each place it tells not only the word that stood there, but all that
# could have: a token teaches more. Both students remain far from the teacher.

# %% [markdown]
# ### Fewer texts, other sizes
# **Predict.** With a quarter of the texts, each read four times as often: who suffers more?

# %%
details = course.ledger("K12")["details"]  # one a seed
show.learning_curves([row for seed in details for row in seed["by texts"]],
                     x="texts", y=k12.BITS)

# %%
sizes = [{"student": f"{row['student']}, {row['arm']}", "parameters": row["parameters"],
          "flops": row["flops"], "bits per byte": row[k12.BITS]}
         for seed in details for row in seed["by size"]]
show.trade_off(sizes, "parameters", "bits per byte", label="student")

# %% [markdown]
# With a teacher, a quarter of the texts teaches about what all of them teach without. And an eighth of its size, taught by
# it, is less surprised than half of its size on its own.

# %% [markdown]
# Quality per parameter, that is. Per operation, those of the teacher included, as means over the seeds:

# %%
by_student = pd.DataFrame(sizes).groupby("student", sort=False)
show.table(by_student[["flops", "bits per byte"]].mean())

# %% [markdown]
# A teacher is not free: it reads each text, and is the larger one. For the smallest student it doubles the work. But it is
# asked once, and what it said is kept: a second student costs it nothing.

# %% [markdown]
# ## By answers: prompts without labels
# A teacher behind an API gives no logits, and a student with other tokens could not use them. It gives *answers*; that is
# enough.

# %% [markdown]
# The usual case: you have many prompts. A few have *labels*, right answers that somebody was paid to write; the others have
# none. Here a text is asked for a year, or for what kind of text it is.

# %%
many = course.scale.enforce
pool = k12.to_answer(600 if many else 24, seed=0)
few = pool.select(range(20 if many else 6))
print(f"{len(few)} of {len(pool)} prompts have a label")

# %% [markdown]
# The teacher is the base, tuned by somebody else on labels of his own; none of our texts is among his. The student *starts*
# as the teacher's first and last layer of five, with its embeddings (DistilBERT, a distilled BERT of 2019, began so). That
# is no distillation yet: what two layers can do without training is measured below.

# %%
tuned = train.instruct(
    base, k12.others(pool, seed=0), train.InstructRecipe(
        tokens=max(12_000, course.scale.instruct_tokens // 2), learning_rate=2e-3),
    name="teacher", show_progress=False)
teacher = tuned.model
student = models.student(teacher, k12.LAYERS)
print(f"{student.parameters / teacher.parameters:.0%} of the teacher's parameters")

# %%
warnings.simplefilter("ignore", CourseWarning)  # it is printed here
said = train.teacher_answers(teacher, pool, tokens=k12.LONGEST)
print(f"{said.empty + said.cut} of {len(pool)} answers empty or not ended: left out")
label = dict(zip(pool["instruction"], pool["answer"], strict=True))
show.table([{"asked": asked["content"], "label": label[asked["content"]],
             "teacher": answer["content"]}
            for asked, answer in said.records["messages"][:3]])

# %% [markdown]
# Three times the same student, the same steps: taught by the few labels; by the teacher's answers to all prompts; and, the
# second control, by the same answers, each below a prompt that it does not belong to. All three start from the teacher's
# layers; so the student of few labels is not without a teacher either. What differs is what each is told.

# %%
settings = {"tokens": course.scale.instruct_tokens * 2 // 5, "learning_rate": 2e-3}
asking = train.SequenceRecipe(**settings, answer_tokens=k12.LONGEST)
plain = train.InstructRecipe(**settings)
pupils = {
    k12.ANSWERS: train.distil(student, teacher, pool, asking, show_progress=False),
    k12.FEW: train.instruct(student, few, plain, show_progress=False),
    k12.MISPLACED: train.instruct(student, k12.misplaced(said.records), plain,
                                  show_progress=False)}

# %% [markdown]
# **Predict.** The labels are right, the teacher's answers sometimes wrong. Which is the better school?

# %%
test = k12.to_answer(120 if many else 6, seed=0, part="test")
scores, says = {}, {}
scores[k12.TEACHER], says[k12.TEACHER] = k12.graded(teacher, test)
for name, run in pupils.items():
    scores[name], says[name] = k12.graded(run.model, test, says[k12.TEACHER])
scores[k12.TORSO], _ = k12.graded(student, test, says[k12.TEACHER])
show.table([{"model": name, **{measure: f"{value:.0%}" for measure, value
                               in own.items()}} for name, own in scores.items()])

# %%
course.claim("K12", treatment=scores[k12.ANSWERS][k12.RIGHT],
             control=scores[k12.FEW][k12.RIGHT])

# %%
ledger = course.ledger("K12")
show.seeds(ledger["arms"], control=k12.FEW, unit=ledger["metric"])

# %% [markdown]
# Cut out and not trained, the two layers answer half of it already, and twenty right labels add nothing to that; here they
# even cost a little. Hundreds of answers, some of them wrong, add nearly all that the teacher can: that is what distillation
# did. On prompts like these; of others nothing was measured.

# %% [markdown]
# ### Right labels for everything
# Read the arm *labels of all prompts*, too. It is what you would have if every prompt had been labelled: no teacher is
# better than right labels for everything. Distillation is for where they are missing, or too dear.

# %% [markdown]
# How like its teacher has the student become? As often they say the same, over all held-out prompts:

# %%
agreed = course.ledger("K12", k12.AGREES)
del agreed["arms"][k12.TEACHER]  # it always says the same as itself
show.seeds(agreed["arms"], control=k12.FEW, unit=agreed["metric"])

# %% [markdown]
# Two that are mostly right agree mostly, whoever taught them: so the student of all labels does, too. Does a student take
# over *mistakes*? Of the prompts that the teacher gets wrong, the share at which it says the same wrong thing, at each seed:

# %%
mistakes = [seed["mistakes repeated"] for seed in details]
show.seeds({name: [seed[name] for seed in mistakes] for name in mistakes[0]},
           control=k12.FEW, unit="teacher's mistakes repeated", better="lower")

# %% [markdown]
# It repeats more of them than the student of all labels, and no more than that of the few: with ten or twenty mistakes
# a seed nothing is shown. The layers not trained repeat the most: many mistakes came with the layers, not with the answers.

# %% [markdown]
# And misplaced answers, with all the teacher's words and manner? They teach what an answer looks like, and not what it is;
# even what its layers knew is unlearnt, for each prompt gets the answer of the one before.

# %% [markdown]
# ## A teacher of other tokens
# SmolLM2 is eleven times as large as our base, and was tuned by others. Its tokens are not ours:

# %%
stranger = models.load("smollm2")
try:
    train.distil(base, stranger, texts, train.LogitRecipe(**settings))
except CourseError as error:
    print(error)

# %% [markdown]
# Its *answers* are of use, as those of a model behind an API are. It is asked for years, and says more than a year; so the
# first one in each reply is taken. Such cleaning is part of the work in practice.

# %%
asked = k12.years(120 if many else 12, seed=0)
heard_of = k12.years_said(stranger, asked)
right = sum(row["answer"] == row["label"] for row in heard_of)
print(f"Of {len(asked)} replies {len(heard_of)} name a year, {right} the right one")

# %% [markdown]
# **Predict.** Our base, which never was tuned, learns from these answers (the share of right ones is of all prompts, the
# unanswered included); another copy from twenty right labels, the only ones used. Who finds more years?

# %%
new = k12.years(60 if many else 4, seed=0, part="test")
for name, told in {k12.FROM_STRANGER: heard_of,
                   k12.FEW_YEARS: asked.select(range(20 if many else 4))}.items():
    recipe = train.InstructRecipe(
        tokens=course.scale.instruct_tokens // 5, learning_rate=2e-3)
    run = train.instruct(base, told, recipe, name=name, show_progress=False)
    print(f"{name}: {k12.graded(run.model, new)[0][k12.RIGHT]:.0%} right")

# %%
years = course.ledger("K12", k12.YEARS)
show.seeds(years["arms"], control=k12.FEW_YEARS, unit=years["metric"])

# %% [markdown]
# Nobody labelled anything for that student, and no logit of the teacher would have fitted it. What it took over is one
# skill: nothing else was asked, and of nothing else was anything measured.

# %% [markdown]
# ## On Amazon Bedrock
# *Model Distillation* there is by answers. You upload prompts; the teacher answers them, and may be asked for variations of
# them, too; a smaller model of the same family is tuned. Where a record ends with an answer, that is taken as an example.
# The file, and the job that would read it, checked here as AWS would:

# %%
place = data.write_distillation(k12.to_answer(120, seed=0), "distillation.jsonl")
print(place.read_text().splitlines()[0][:160], "…")
job = aws.customization_job(
    aws.Project("111122223333", "my-team-data"), "nova-micro", "distillation",
    training="distillation.jsonl", teacher="nova-pro")
print(job)

# %% [markdown]
# **Predict.** The job needs 100 prompts at least. What happens with 20?

# %%
try:
    data.write_distillation(k12.to_answer(20, seed=0), "few.jsonl")
except CourseError as error:
    print(error)
place.unlink()

# %% [markdown]
# ## What it costs
# To the student's own training comes the teacher's time. What is saved comes after: each answer, for as long as the student
# is in use. Of the ledger, one prompt at a time on one core:

# %%
each = [{"model": name, "parameters": seed["parameters"][name],
         "right": seed["scores"][name][k12.RIGHT], k12.SECONDS: seed[k12.SECONDS][name]}
        for seed in details for name in seed["parameters"]]
cost = pd.DataFrame(each).groupby("model", sort=False).mean()
show.table(cost, formats={"right": ".0%", k12.SECONDS: ".3f", "parameters": "count"})

# %% [markdown]
# And live, in this lesson:

# %%
show.cost_bars({"teacher, tuned": tuned.cost,
                "student of answers": pupils[k12.ANSWERS].cost,
                "student of labels": pupils[k12.FEW].cost})

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A large model is good, and too slow and too dear. Prompts are logged, nobody can label them.* Distillation.
# - *What is the student trained on?* The teacher's replies; its probabilities, where they can be had.
# - *Plenty of nearly perfect labels?* Fine-tune on those: a teacher's answers hold its mistakes.
# - *Is it quantization, or pruning?* No. Those make a trained network smaller; distillation trains a student by what a
#   teacher says. It may start from a pruned teacher, as ours did, or from nothing.

# %% [markdown]
# > **Today** (November 2026). Distillation stands in today's exam guide beside pre-training, fine-tuning and continuous
# > pre-training; notes written for the guide of 2024 do not have it. Bedrock distils Nova models (Premier or Pro into
# > smaller ones) and Llama models, text only; not Anthropic's.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("12")

# %% [markdown]
# ## Yours to try
# Give `few` 300 labels: from how many on does the teacher no longer help? Or tune the teacher for a tenth of the tokens,
# so that it is often wrong, and see what its student becomes. Then on to lesson 13.
