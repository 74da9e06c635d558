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
#     title: Start here
#     claims: []
#     minutes_cpu: 1
#     minutes_gpu: 1
# ---

# %% [markdown]
# # 00 · Start here
# **Question:** what is a foundation model, and what will you have done with one by the end of this course?
#
# No claims yet · about 1 minute · nothing to know before, except a little Python

# %% [markdown]
# > **Exam words.** A *foundation model* is a large model trained on broad data, which can be adapted to many tasks.
# > This course follows task statement 3.3 of the AWS AI Practitioner exam: *how* such models are trained and adapted.

# %% [markdown]
# You will take one assistant through its whole life: it learns to read, studies a company's documents, learns to follow
# instructions, is adapted, aligned with what people prefer, and shrunk. At each step you measure before and after.

# %% [markdown]
# ## Is this machine ready?
# One line says which device was chosen, in which number format, and why.

# %%
import fmcourse as fm

course = fm.start("00")
course.hardware

# %% [markdown]
# Some devices compute wrongly without a word. So the course checks its arithmetic against float32 on the CPU.
# If anything below is not passed, run `fmcourse doctor` in a terminal: it names the fix.

# %%
from fmcourse import hardware

for check in hardware.check_device(course.hardware.device):
    print("passed" if check.passed else "FAILED", check.name)

# %% [markdown]
# ## Three models
# One network never trained, the same one trained on books and encyclopaedia passages (our *base*), and SmolLM2,
# a published model, much larger, trained on some two trillion tokens and then on instructions.

# %%
from fmcourse import models

base = models.load("base")
assembled = [models.untrained(base), base, models.load("smollm2")]
assembled

# %% [markdown]
# **Predict.** Each is given the start of a sentence. What will the untrained one write? And the base?

# %%
for model in assembled:
    text = model.generate("The capital of France is", tokens=24, temperature=0.7)
    print(f"{model.name:10} {text!r}\n")

# %% [markdown]
# Noise; English without knowledge; English with some. Between the first two, training is the *only* difference; the third
# is also eleven times larger. It doesn't show that any of them *understands*, only how well it continues.

# %% [markdown]
# ## How surprised are they?
# One number runs through the whole course: **bits per byte**, the surprise at text that was held out of our training.
# Lower is better, and numbers compare only on the same text.

# %%
from fmcourse import data, evaluate, show

texts = data.held_out(characters=4_000)
bits = {model.name: evaluate.bits_per_byte(model, texts) for model in assembled}
show.table([{"model": name, "bits per byte": value} for name, value in bits.items()])

# %% [markdown]
# Eight bits a byte is the plain file; a good model needs about one. (Untrained needs under four, since its tokens are
# pieces of several letters.) So a language model is also a compressor, and every lesson can measure each step.

# %% [markdown]
# ## The map
# | lesson | question | exam words |
# |---|---|---|
# | 01 | What can a network learn from nothing but text? | pre-training |
# | 02 | Can it learn a company's language from raw documents? | continued pre-training |
# | 03 | How little data does a new task need? | transfer learning |
# | 04, 05 | How does it learn to do as it is told, in your field? | instruction tuning, domain adaptation |
# | 06 | Can most weights stay as they are? | parameter-efficient fine-tuning |
# | 07–09 | What must data be like? | curation, governance, size, labelling, representativeness |
# | 10, 11 | How do people's preferences get in? | RLHF, reward models, DPO, GRPO |
# | 12, 13 | How is it made small, chosen, shipped? | distillation, model choice |
# | 14 | Are you ready? | practice exam |

# %% [markdown]
# Each begins with the exam's words, asks you to predict, runs an experiment beside its **control**, and ends with
# what the exam asks.

# %% [markdown]
# ## How to use a lesson
# Run it cell by cell (Shift + Enter), and write your prediction down before you run the cell below it.
# A cell that checks a **claim** compares two arms. Their difference is the *effect*; the *bound*, set beforehand, is the
# least effect that counts. If it did not appear the cell fails: change something and see.

# %% [markdown]
# Two kinds of evidence stand side by side: what *you* just ran, in a minute, and the **ledger**: the same experiment
# repeated, with its 95 % interval in brackets, committed with versions, data hashes and hardware.

# %% [markdown]
# ## Where things are kept
# Downloads, converted models and runs are all below one folder. It may be deleted: the course makes them again.

# %%
from fmcourse import store

places = {path.name: sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
          for path in sorted(store.home().iterdir()) if path.is_dir()}
show.table([{"folder": name, "MB": size / 1e6} for name, size in places.items()])

# %% [markdown]
# `fmcourse clean` in a terminal lists it and, asked twice, deletes it. Set `FMCOURSE_HOME` to keep it elsewhere.
# Nothing is sent anywhere: after the first download the course needs no network.

# %% [markdown]
# ## Where you stand
# What nobody can make again is kept apart, in your own data folder: labels, rankings, exam answers, and your
# **progress**. Lessons and exercises note it by themselves; it never leaves this machine.

# %%
fm.classroom.progress()

# %% [markdown]
# A claim counts as shown when your latest run at the `cpu` or `gpu` scale showed it, an exercise once its check has
# passed. *Refresh* reads it again. `fmcourse progress` in a terminal shows the same; `fmcourse progress export` takes it
# to another machine.

# %% [markdown]
# ## Next
# Lesson 01: a model learns to read, in front of you, in a minute.
