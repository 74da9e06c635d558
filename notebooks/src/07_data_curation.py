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
#     title: "Data: curation and formats"
#     claims: [D1, D2, D3, D5, D6]
#     minutes_cpu: 5
#     minutes_gpu: 5
# ---

# %% [markdown]
# # 07 · Data: curation and formats
# **Question:** what has to happen to text and records before a model may learn from them, and does it matter?
#
# Claims D1, D2, D3, D5, D6 · about 5 minutes on two CPU cores, 5 on a GPU · after lesson 01

# %% [markdown]
# > **Exam words.** *Data curation*: to find, collect, clean, transform and organise data; that is, drop what is irrelevant,
# > handle missing values, standardise, *de-duplicate*. *Garbage in, garbage out*: a model is as good as what it has read.

# %%
import json
import random
import tempfile
import zlib
from pathlib import Path

import numpy as np

import fmcourse as fm
from fmcourse import data, evaluate, models, show, sources, train
from fmcourse.data import curation
from fmcourse.evidence.experiments.registered import READ, registered

course = fm.start("07", claims=["D1", "D2", "D3", "D5", "D6"])
base = models.load("base")

# %% [markdown]
# ## Choose
# Curation begins before there is a file: is the source reliable, is it relevant, and may we use it? The course keeps a
# register.

# %%
names = ["boolq-passages", "aws-docs-html", "wikipedia-markup", "django-messages"]
show.table([{"source": name, "version": entry.version, "licence": entry.licence,
             "SHA-256": entry.sha256[:12], "by": entry.attribution[:48]}
            for name in names for entry in [sources.get(name)]])

# %% [markdown]
# A register that nobody enforces is a wish. The hash is checked when an archive arrives, and again when its size or date has
# changed. Here archives come as they are, then with one bit flipped; and entries whole, then with a field missing or blank.
# **Predict.** How many of the second kind get through?

# %%
outcome = registered(0, names=("web-bible", "django-messages"))
tried = {arm: values[READ] for arm, values in outcome.arms.items()}
print(tried)
course.claim("D3", treatment=tried["as registered"], control=tried["tampered with"])

# %% [markdown]
# ## Look
# Look at what you have before you do anything to it. Four sources, mixed as a crawl would: passages, web pages of
# documentation, wiki pages, messages in eighty languages.

# %%
characters = min(4 * course.scale.live_tokens, 8_000_000)
tests = data.held_out(0, 200_000, "validation", "boolq-passages")
dirty = curation.raw(characters, seed=0, tests=tests)
seen = {row["source"]: row["text"] for row in dirty.shuffle(seed=3)}
show.table([{"source": name, "text": seen[name][:150]} for name in seen])

# %% [markdown]
# The first four are real. Into the passages some more dirt was **planted** (simulated), so that there is something whose
# truth is known: HTML; *mojibake*, which is text read in a wrong encoding; *boilerplate*, lines that every page has; copies;
# *word salad*, words in no order; other languages; passages of a test.

# %% [markdown]
# ## Clean, step by step
# A step sees a text and keeps it, repairs it, or drops it *and says why*. Your own step is a function:

# %%
def judge(text):
    if "coming soon" in text.lower():
        return curation.Drop("a page to be written")
    return text.replace("\u00ad", "")  # hyphens that only a typesetter should see


own = curation.each("my own step", judge)
list(own.decide(["co\u00adoperate", "This guide is coming soon."]))

# %% [markdown]
# The course has ten more. Repairs come first, since everything later is judged by what a reader would see; what costs most
# comes last. The last step asks what the *order* of a text's words is worth to a simple model that has read good text: to
# word salad, nothing. Before it come rules of thumb (*heuristics*), those that made famous corpora:

# %%
show.table(curation.thresholds(words=8))

# %% [markdown]
# **Predict.** What share of the records will be left? And which step takes most of them?

# %%
half = course.scale.eval_characters // 2
unread = {"passages": data.held_out(0, half, source="boolq-passages"),
          "documentation": data.excerpt(data.domain("aws")["test"], half, 0)}
order = evaluate.word_order_score(base)
steps = curation.standard([*tests, *unread["passages"]], score=order)
curated = curation.curate(dirty, [own, *steps])
show.funnel(curated.table(), title="from raw to curated", unit="records")

# %% [markdown]
# Rules of thumb take most, and most of that is very short: labels of buttons, a line about a field. Nothing is lost without a
# reason: what is kept and what is dropped are always what came in.

# %%
assert len(curated.kept) + len(curated.dropped) == len(dirty)
why = curated.reasons()
show.table(why.sort_values("records", ascending=False).head(8))

# %% [markdown]
# Look at what was dropped; every threshold is somebody's opinion. Would you have kept one of these?

# %%
gone = curated.dropped.shuffle(seed=1)
picked = {row["step"]: row for row in gone if row["text"]}
show.table([{"step": row["step"], "why": row["why"], "found": row["found"],
             "text": row["text"][:90]} for row in picked.values()])

# %% [markdown]
# ### How good is the pipeline?
# Of planted dirt the truth is known. *Recall*: how much of it was put right. *Precision*: of what the step touched, how
# much was dirt at all. **Predict.** Which kind will be hardest to find?

# %%
grades = curation.grade(curated, dirty)
show.table(grades, formats={"recall": ".0%", "precision": ".0%"})

# %% [markdown]
# What the last row lacks is the price: clean texts that did not come through. Rules of thumb take most of them: a paragraph
# that says one name too often, for instance. Planted dirt is easier than the real kind, and copies are found by the measure
# they were planted with: these rows show that the steps do what they say, not that the world is so easy.

# %% [markdown]
# ## Does it pay?
# The same network, the same number of steps, once on raw text and once on curated. Both are tested on text that people
# would want to read: encyclopaedia passages, and documentation of other services.

# %% [markdown]
# **Predict.** The raw set is larger, so less of it is read twice. Will that make up for the dirt?

# %%
recipe = train.PretrainRecipe.at_scale(tokens=min(course.scale.live_tokens, 2_000_000))
fresh = models.build(course.scale.live_size, base.tokenizer)
readers = {}
for name, texts in {"raw": dirty, "curated": curated.kept}.items():
    tokens = data.tokens(texts, base.tokenizer)
    times = recipe.tokens / len(tokens)
    print(f"{name}: {len(tokens):,} tokens, read {times:.1f} times")
    run = train.pretrain(fresh, tokens, recipe, name=name, show_progress=False)
    readers[name] = run.model
bits = {name: evaluate.bits_per_byte(model, unread) for name, model in readers.items()}
show.before_after(bits["raw"], bits["curated"], unit="bits per byte of unread text")

# %%
mean = {name: sum(values.values()) / 2 for name, values in bits.items()}
course.claim("D1", treatment=mean["curated"], control=mean["raw"])

# %% [markdown]
# At the same number of training tokens, cleaner text teaches more. How much is owed to repairing, and how much to dropping?
# The ledger has an arm that was repaired only; and so much text that no arm read anything twice.

# %%
show.seeds(course.ledger("D1")["arms"], control="raw", better="lower",
           unit="held-out bits per byte")

# %% [markdown]
# ## The same again, and nearly the same
# Pages are copied, quoted, mirrored. Word for word is easy to find. *Nearly* the same means: most runs of three words are
# shared.

# %% [markdown]
# ### The raw idea: MinHash
# To compare all pairs would take for ever. So each text is reduced to a *sketch*: the least hash of its three-word runs, under
# many hash functions. Two sketches agree in about as many places as the texts share runs.

# %%
PRIME = 2**61 - 1
draw = random.Random(0)
functions = [(draw.randrange(1, PRIME), draw.randrange(PRIME)) for _ in range(128)]


def runs(text):
    words = text.lower().split()
    return {" ".join(words[i:i + 3]) for i in range(max(1, len(words) - 2))}


def sketch(text):
    hashes = [zlib.crc32(run.encode()) for run in runs(text)]
    return [min((a * h + b) % PRIME for h in hashes) for a, b in functions]


# %%
first, other = sorted(curated.kept["text"][:], key=len)[-2:]
changed = first.replace(" the ", " a ", 4)
rows = []
compared = {"itself": first, "some words changed": changed, "another": other}
for name, text in compared.items():
    both = runs(first) & runs(text)
    agree = np.mean([a == b for a, b in zip(sketch(first), sketch(text), strict=True)])
    rows.append({"compared with": name, "places that agree": agree,
                 "shared runs": len(both) / len(runs(first) | runs(text))})
show.table(rows, formats={"shared runs": ".2f", "places that agree": ".2f"})

# %% [markdown]
# Texts that agree in a band of places are compared in earnest, all others never. That is *locality-sensitive hashing*, and
# how the library found its near duplicates.

# %% [markdown]
# ### What copies do
# Our base goes on reading: documentation in which some paragraphs come again many times, word for word and with a word changed,
# and in which a few paragraphs of a test have leaked.

# %%
corpus = data.domain("aws")
pages = data.sized(corpus["train"], max(characters // 8, 60_000), 0)
clean = curation.curate(pages, [
    curation.exact_duplicates(), curation.near_duplicate_texts()]).kept


def short(texts):
    """Those long enough to ask for the rest of, and short enough to repeat."""
    return [text for text in texts if 300 < len(text) < 500]


# %%
again = short(clean["text"][:])[:16]
leaking = short(data.excerpt(corpus["validation"], 200_000, 0))[:8]
copied = curation.plant_copies(clean, [*again, *leaking], exact=32, near=32)
once = curation.curate(copied, [
    curation.exact_duplicates(), curation.near_duplicate_texts(),
    curation.decontaminated(leaking)])
show.table(once.table())

# %% [markdown]
# A text is *memorised* if the model, given its first sixteen tokens, writes the next sixteen word for word. **Predict.** How
# many of the sixteen, after each set?

# %%
recipe = train.PretrainRecipe.at_scale(
    tokens=min(course.scale.live_tokens // 4, 120_000), learning_rate=2e-3)
rows = []
for name, texts in {"with copies": copied, "each text once": once.kept}.items():
    tokens = data.tokens(texts, base.tokenizer)
    pupil = train.pretrain(base, tokens, recipe, name=name, show_progress=False).model
    rows.append({"set": name, "memorised": evaluate.memorised(pupil, again).mean(),
                 "leaked test": evaluate.bits_per_byte(pupil, leaking),
                 "unread": evaluate.bits_per_byte(pupil, unread["documentation"])})
show.table(rows, formats={"memorised": ".0%", "leaked test": ".2f", "unread": ".2f"})

# %%
course.claim("D2", treatment=rows[0]["memorised"], control=rows[1]["memorised"])

# %% [markdown]
# *Leaked test* and *unread* are bits per byte. Copies are learnt by heart, and what was spent on them is missing elsewhere:
# unread text costs more bits per byte. On the leaked paragraphs the model looks brilliant. A benchmark that was in the
# training text measures memory.

# %%
show.seeds(course.ledger("D2")["arms"], control="each text once", better="lower",
           unit="copied texts learnt by heart")

# %% [markdown]
# Removing exact copies alone is not enough: with a word changed here and there, many are still learnt.

# %% [markdown]
# ## One shape, no holes
# Records from three places have three shapes. *Standardise* them: the same columns, the same types, and a decision about
# what is missing.

# %%
from datasets import Dataset

crawl = data.with_card(Dataset.from_list([
    {"body": "Buckets hold objects.", "page": "s3"}, {"body": None, "page": "ec2"},
    {"body": "Functions run code.", "page": None}]), data.Card("crawl", sources={}))
tidy = curation.standardise(
    crawl, {"body": "text", "page": "document"}, {"source": "crawl"})
print(*tidy, sep="\n")
print(*curation.curate(tidy, []).dropped, sep="\n")

# %% [markdown]
# A missing page gets a name, since splitting needs one. A missing *text* is dropped, with its reason: nothing can replace it.

# %% [markdown]
# ## Split
# Training, validation, test. If pages of one document are on both sides, the model is tested on what it nearly has read.
# So whole documents go to one side.
#
# **Predict.** A validation part that was split off record by record: will it look harder or easier than new documents?

# %%
passages = data.only(data.general()["validation"], "boolq-passages")
parts = data.split_by_document(passages, held_out=0.1)
print({part: f"{len(rows):,} texts of {len(set(rows['document'][:])):,} documents"
       for part, rows in parts.items()})
flattery = course.ledger("D5", "bits per byte by which validation flatters")
show.seeds(flattery["arms"], control="split by record", better="lower",
           unit="bits per byte that validation looks better than new documents")

# %% [markdown]
# That was measured on AWS documentation, service by service, with a model that only counts words in threes. Any one split is a
# noisy estimate; by record, validation flattered every time, by document hardly, on average.

# %% [markdown]
# ## Format
# Tuning needs *records*, in the framework's own format, usually *JSON Lines*: one JSON object a line. One pair, as five
# readers want it:

# %%
pair = {key: data.commands()["train"][0][key] for key in ("prompt", "completion")}
pairs = data.record_format("prompt-completion")
for name in ("prompt-completion", "messages", "bedrock-conversation", "bedrock-rft"):
    record = data.convert_record(pair, pairs, data.record_format(name))
    print(f"{name}\n  {json.dumps(record)}")
chat = data.convert_record(pair, pairs, data.record_format("messages"))["messages"]
tokenizer = models.load("smollm2").tokenizer
print("what a model reads\n ", repr(data.written(chat, tokenizer)))

# %% [markdown]
# The last line is the *chat template*; every tuned model has its own. Tune with the one that will be used to ask: with another
# the model gets worse, and no error says so.

# %% [markdown]
# ### Check before you pay
# A job on a cloud fails after minutes in a queue, and says little. Here is a file with faults; which can you see?

# %%
lines = [{"prompt": "List my buckets.", "completion": "aws s3 ls"},
         {"prompt": "Who am I?", "completoin": "aws sts get-caller-identity"},
         {"prompt": "Stop i-1.", "completion": ""},
         {"prompt": "User: help", "completion": "aws help"}]
place = Path(tempfile.mkdtemp()) / "mine.jsonl"
text = "\n".join(map(json.dumps, lines))
place.write_text(text + '\n{"prompt": "cut off", "comple')
reading, lacking = data.check_file(place, limits=data.limits("llama-3.1-8b"))
print(reading.complaint(), *lacking, sep="\n")

# %% [markdown]
# The fourth record is good, for Llama. And for Nova?

# %%
nova = data.record_format("bedrock-conversation")
record = data.convert_record(lines[3], pairs, nova)
place.write_text(json.dumps(record))
reading, lacking = data.check_file(place, limits=data.limits("nova-lite"))
print(reading.complaint(), *lacking, sep="\n")

# %% [markdown]
# Limits are data with a source and a day, for they change. In a terminal: `fmcourse data check my.jsonl --for nova-lite`.

# %% [markdown]
# **Predict.** Real records in eight formats, each with one fault: a key lost, roles in the wrong order, a line cut off … How
# many would a program accept that only parses JSON?

# %%
from fmcourse.evidence.experiments.validated import (
    faults,
    is_good,
    is_json,
    share,
    written,
)

draw = random.Random(0)
right = [record for _, some in written(0, 20) for record in some]
faulty = [line for record in right for line in faults(record, draw)]
assert share(is_good, [json.dumps(record) for record in right]) == 1
accepted = {"checked": share(is_good, faulty), "parsed as JSON": share(is_json, faulty)}
print(f"{len(faulty):,} faulty records; accepted:", accepted)
course.claim("D5", treatment=accepted["checked"], control=accepted["parsed as JSON"])

# %% [markdown]
# Those are the faults we thought of, so 0 % says less than it seems. A record may also be in perfect form and wrong.

# %% [markdown]
# ## Wrong labels
# Paragraphs of AWS documentation, labelled with the service they are about. A fifth of the labels were made wrong
# (simulated), and a few paragraphs come twice, under two labels.

# %%
labelled = data.service_paragraphs(0, train=1024, test=500)
mixed = data.plant_label_errors(labelled["train"], share=0.2)
texts, given = mixed["text"][:], mixed["label"][:]
clash = data.contradictions(texts, given)
print(f"{len(mixed)} records; {len(clash)} texts have two labels, such as")
for group in clash[:1]:
    print(*(f"  label {given[i]}: {texts[i][:80]}" for i in group), sep="\n")

# %% [markdown]
# Contradictions are facts. For the rest there is *confident learning*: a model that was taught on other records gives its
# opinion of each label.

# %%
thought = data.out_of_fold(texts, given, train.bag_of_words)


def doubted(labels, chances):
    """Records that another class claims, as surely as it claims its own."""
    labels = np.array(labels)
    sure = [chances[labels == k, k].mean() for k in range(chances.shape[1])]
    claimed = np.where(chances >= sure, chances, 0)
    return np.flatnonzero((claimed.max(1) > 0) & (claimed.argmax(1) != labels))


flagged = data.mislabelled(given, thought)
ours = doubted(given, thought)
both = {*ours} & {*flagged}
print(f"by hand {len(ours)}, the library {len(flagged)}, both {len(both)}")

# %% [markdown]
# **Predict.** With the copies, nearly a quarter of all labels are wrong. Of those flagged, how many?

# %%
mistaken = [i for i, row in enumerate(mixed) if row["label"] != row["truth"]]
by_chance = np.random.default_rng(1).permutation(len(mixed))[:len(flagged)]
found = {"confident learning": data.grade_flags(flagged, mistaken),
         "random flags": data.grade_flags(by_chance.tolist(), mistaken)}
show.table([{"flags": name, "right": precision, "of all wrong": recall}
            for name, (precision, recall) in found.items()],
           formats={"right": ".0%", "of all wrong": ".0%"})

# %%
course.claim("D6", treatment=found["confident learning"][0],
             control=found["random flags"][0])

# %% [markdown]
# A flag is a suspicion, and many are unjust: they are for a person to look at. In the ledger an expert (simulated: the truth)
# had time for a quarter of the records, and took contradictions first, then the most doubtful. **Predict.** How much of what
# the errors cost comes back, and how much if the expert takes records at random?

# %%
score = course.ledger("D6", "right on the test")
show.seeds(score["arms"], control="as many reviewed at random",
           unit="right on the test")

# %% [markdown]
# Reviewing the doubted ones first recovers two thirds of what the errors cost; as many at random, less than a third. *Dropped
# unseen* throws good records out with the bad, and gains nothing.

# %% [markdown]
# ## The ledger

# %%
show.table(course.ledgers())

# %% [markdown]
# ## What the exam asks
# - *A model repeats whole paragraphs of its training text.* De-duplicate: copies are what it memorises.
# - *Scores on a benchmark are too good to be true.* Look for contamination: test items in the training data.
# - *Which format does Bedrock want for fine-tuning?* JSON Lines in S3, the record's form as the model asks.
# - *Twice the text, or half of it and clean?* Clean, at the same cost of training.

# %% [markdown]
# > **Today** (November 2026). Older notes show one record, prompt and completion. It still holds for some models;
# > Nova and newer Llamas take whole conversations. Continued pre-training, once a Bedrock method with `{"input": …}`, is now
# > done on SageMaker, for Nova, with `{"text": …}`.

# %% [markdown]
# ## Check yourself
# Three questions in the exam's style, each explained at once. What you answer is kept, and comes back in lesson 14's review.

# %%
from fmcourse.exam import room

room.check("07")

# %% [markdown]
# ## Yours to try
# Leave one step out (`[step for step in steps if step.name != "heuristics"]`) and train again: which one mattered? Or take
# files of your own through it: `data.own("my folder")`. Then on to lesson 08.
