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
# # 02 · Exercises: continued pre-training
# The training loop is lesson 01's, so it is not what goes wrong. What goes wrong is around it: what is graded, what is
# replayed, when to stop, which pages to read again, and whether this was the right tool at all.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("with_replay")` gives a hint,
# `sheet.hint("with_replay", 2)` the last one.

# %%
import fmcourse as fm

sheet = fm.classroom.sheet("02")

# %% [markdown] exercise="predicted_changes" kind="predict" difficulty=1 minutes=5 claims=["K9", "K10"]
# ## What will it gain, what will it lose?
# A base that has read an encyclopaedia goes on with the manual of AWS, and with nothing else. Say of each whether it gets
# *better*, *worse* or stays the *same*: held-out pages of the manual (`domain`), encyclopaedia (`general`), how many
# instructions it follows (`instructions`).
#
# Then somebody replaces a quarter of the rows by old text. `replay keeps`: how much of what would have been forgotten, *about
# a quarter*, *more than half* or *all of it*? `replay costs`: how much of the gain on the manual, *less than a tenth*, *about
# a quarter* or *half*?

# %%
def predicted_changes() -> dict[str, str]:
    """Your predictions, with the five keys and the words in italics above.

    >>> ", ".join(sorted(predicted_changes()))
    'domain, general, instructions, replay costs, replay keeps'
    """
    ### BEGIN SOLUTION
    return {"domain": "better", "general": "worse", "instructions": "same",
            "replay keeps": "more than half", "replay costs": "less than a tenth"}
    ### END SOLUTION


# %%
sheet.check(predicted_changes)

# %% [markdown]
# **Now look.** The ledger ran it over three seeds; bits per byte, so lower is better.

# %%
domain, general = (measure["arms"] for measure in fm.evidence.read("K9")["measures"])
for seed in range(3):
    gain, loss = (arms["base"][seed] - arms["replay 0%"][seed] for arms in (domain, general))
    kept = 1 - (general["base"][seed] - general["replay 25%"][seed]) / loss
    cost = 1 - (domain["base"][seed] - domain["replay 25%"][seed]) / gain
    print(f"seed {seed}: manual {-gain:+.2f}, general {-loss:+.2f}; "
          f"replay keeps {kept:.0%} and costs {cost:.0%}")

# %% [markdown] tags=["commentary"]
# **Why.** Gradient descent moves weights to where the text at hand is likelier, and knows no other duty. A quarter of old rows
# gives it one. It is cheap because both curves bend: most of the gain comes from the first documents, and most of the
# forgetting is undone by the first reminders. Instructions: the model reads manuals, so it writes manuals. Nobody ever
# showed it a request with its reply.

# %% [markdown] exercise="graded_labels" kind="implement" difficulty=2 minutes=10 claims=["K11"]
# ## Which tokens are lessons?
# The difference between continued pre-training and fine-tuning fits into one function: which tokens count in the loss.

# %%
def graded_labels(record: dict[str, list[int]]) -> list[int]:
    """Labels of a record, as long as its tokens; -100 where a token does not count.

    They are *not* moved by one: the model's loss does that.

    Args:
        record: {"text": ids} is a document; {"prompt": ids, "completion": ids} a pair, read one
            behind the other.

    >>> graded_labels({"prompt": [5, 6], "completion": [7]})
    [-100, -100, 7]
    """
    ### BEGIN SOLUTION
    if "text" in record:
        return list(record["text"])
    return [-100] * len(record["prompt"]) + record["completion"]
    ### END SOLUTION


# %%
sheet.check(graded_labels)

# %% [markdown] tags=["commentary"]
# **How it works.** A document teaches with every token. Of a pair the prompt is *read*, since the answer depends on it, and not
# *graded*, since the model should answer questions and not pose them. Leaving the prompt out altogether is another thing: it
# would teach answers to nothing. Compare how many tokens of each kind of record are graded: per token read, documents teach
# more; per hour of somebody's work, too, for nobody wrote them for you. But only pairs show what an answer is.

# %% [markdown] exercise="with_replay" kind="implement" difficulty=3 minutes=20 claims=["K9", "M5"]
# ## Replay
# Mix old rows among the new ones, so that they are a given share of *all* rows, spread evenly: every batch should remind a
# little, none a lot.

# %%
def with_replay(new: list, old: list, share: float) -> list:
    """All new rows in their order, with old ones among them.

    Args:
        new: rows to learn.
        old: rows to be reminded of; they are taken from the first on, each at most once, and
            there are enough.
        share: of all rows of the result that are old, from 0 to below 1. After any number of
            rows, the old ones among them differ from their share by one at most.

    >>> len(with_replay(list("abc"), list("xyz"), 0.25))  # one old row among four
    4
    """
    ### BEGIN SOLUTION
    total = len(new) + round(len(new) * share / (1 - share))
    rows, fresh, reminders = [], iter(new), iter(old)
    for place in range(total):
        due = int((place + 1) * share) > int(place * share)
        rows.append(next(reminders) if due else next(fresh))
    return rows
    ### END SOLUTION


# %%
sheet.check(with_replay)

# %% [markdown] tags=["commentary"]
# **How it works.** `old / (old + new) = share` gives `old = new · share / (1 - share)`: a quarter of the whole is a third of the
# rest. The running share `place · share` grows by `share` a row, and each time it passes a whole number a reminder is due:
# the same rule by which a computer draws a slanted line. It needs no chance, so an interrupted run goes on exactly where it
# was. Order matters: all reminders at the end would *be* a second training, on old text, that forgets the new.

# %% [markdown] exercise="last_good" kind="implement" difficulty=2 minutes=10 claims=["K9", "M5"]
# ## Stop in time
# During training, general text is measured at regular looks. The team has promised that it gets no more than `rise` bits per
# byte worse than it was at the start. Training stops at the first look that breaks the promise; the weights of the look
# before are kept.

# %%
def last_good(general: list[float], rise: float) -> int:
    """The look whose weights are kept.

    Args:
        general: bits per byte of general text at each look; the first is before training.
        rise: by how much it may get worse, in bits per byte.

    Returns:
        Its place in the list, from 0; the last one if the promise was never broken.

    >>> last_good([1.5, 1.54, 1.7], rise=0.1)
    1
    """
    ### BEGIN SOLUTION
    for place, bits in enumerate(general):
        if bits > general[0] + rise:
            return place - 1
    return len(general) - 1
    ### END SOLUTION


# %%
sheet.check(last_good)

# %% [markdown] tags=["commentary"]
# **How it works.** The yardstick is the model you started from. Measured against the look before, a slow decline never alarms
# anybody: a hundred looks, each a hundredth of a bit worse, are a whole bit. Measured against the best look so far, you would
# stop for having been good for a while. `fmcourse train continued --general-rise 0.1` does this.

# %% [markdown] exercise="refresh" kind="investigate" difficulty=3 minutes=35 claims=["M5"]
# ## A new release
# The manual has a new release. Which pages must be read, and which may be replayed? A page has changed when its words have, or
# their order or capitals; other line breaks and blanks are no change. What has been withdrawn should be neither read nor replayed.

# %%
def refresh(old: dict[str, str], new: dict[str, str]) -> dict[str, list[str]]:
    """What to train on after a release.

    Args:
        old, new: the text of each page by its name.

    Returns:
        {"read": names of what is news, "replay": names of what is unchanged}, both sorted.

    >>> refresh({"a": "One."}, {"a": "One.", "b": "Two."})
    {'read': ['b'], 'replay': ['a']}
    """
    ### BEGIN SOLUTION
    same = {name for name in old.keys() & new.keys() if old[name].split() == new[name].split()}
    return {"read": sorted(new.keys() - same), "replay": sorted(same)}
    ### END SOLUTION


# %%
sheet.check(refresh)

# %% [markdown]
# **Investigate.** Take two versions of something you know: two releases of a package's documentation, a wiki page and its
# state of last year, cut into pages or sections. Beforehand, write down how much of the new one you expect to be news.

# %%
before = {"greeting": "Hello, and welcome.", "hours": "We are open from nine to five."}
after = {"greeting": "Hello,\nand welcome.", "hours": "We are open from eight to five."}
sheet.own("refresh", before, after)
found = refresh(before, after)
news = sum(len(after[name].split()) for name in found["read"])
print(found, f"news: {news / sum(len(text.split()) for text in after.values()):.0%} of the words")

# %% [markdown]
# **Your finding.** Four or five sentences. Is it enough to train on, or would you look it up (the last exercise)?
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* Of 212 pages of our handbook 31 are news since spring, 9 of them new;
# I had expected half as many. By words it is 18 %, but most of those pages changed in one sentence, often a number: read
# again whole, they would teach what is old far more than what is new. A page counts as news by a single word, so the share is an
# upper bound; compared sentence by sentence it was 3 %. That is 6,000 words, much too little to train on, and fees among
# them change monthly. So I would look it up, and go on training once a year, with the unchanged pages for replay.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | foretold | an expectation was written down before the number was seen |
# | kinds | looks at what the news is (new pages, rewritten ones, single numbers), not at a share alone |
# | bound | says that one changed word makes a whole page news, or what else the rule cannot see |
# | choice | draws a conclusion about training or looking up, and names what would overturn it |

# %% [markdown] tags=["commentary"]
# **How it works.** Set arithmetic on names, and one comparison of words. What was withdrawn needs care: leaving a page out of
# training does not *remove* it from the weights of a model that has read it. It only stops reminding it. What must never be
# said again needs more than a refresh.

# %% [markdown] exercise="routes" kind="design" difficulty=2 minutes=15 claims=["K11", "M5"]
# ## Which route?
# A bank asks you five things. Choose for each from *published model* (as it is), *prompt*, *retrieval*, *fine-tuning*,
# *continued pre-training*: the least that does it.
#
# - `reports`: "We have ten years of research reports, unlabelled. The model should read and write our language."
# - `answers`: "Here are 2,000 customer questions, each with the answer that our lawyers approved. Answer like that."
# - `prices`: "It must quote our fees. They change every morning."
# - `tone`: "Please address customers formally, from tomorrow on."
# - `prototype`: "Show us next week what such a model could do at all."

# %%
def routes() -> dict[str, str]:
    """Your choice for each of the five.

    >>> ", ".join(sorted(routes()))
    'answers, prices, prototype, reports, tone'
    """
    ### BEGIN SOLUTION
    return {"reports": "continued pre-training", "answers": "fine-tuning",
            "prices": "retrieval", "tone": "prompt", "prototype": "published model"}
    ### END SOLUTION


# %%
sheet.check(routes)

# %% [markdown]
# **Your reasons.** Defend `reports` in three or four sentences, to somebody who holds the budget.
#
# ### BEGIN SOLUTION
# The reports have no labels, so fine-tuning has nothing to learn from, and a prompt cannot hold ten years. Continued
# pre-training makes our vocabulary and turns of phrase likely: we measure held-out reports in bits per byte before and
# after, against a control that read as much general text. The price is general ability; a quarter of replay keeps most of it,
# and we stop if general text gets 0.1 bits per byte worse. It does not make an assistant, and it does not make facts
# reliable: instruction tuning and retrieval follow.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | data | says what there is (documents, no pairs), and that this decides |
# | measure | names a number that will show success, and a control |
# | price | names what may be lost, and how that is watched or held |
# | limits | says what it will *not* do: follow instructions, keep facts current |

# %% [markdown] tags=["commentary"]
# **Why.** Two questions settle most cases. *What do you have?* Documents, pairs, or a wish. *How long will it stay true?* A
# language stays; a price does not. And take the cheapest that works: prompt before retrieval, retrieval before training.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/02_continued_pretraining.ipynb`.
