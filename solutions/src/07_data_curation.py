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
# # 07 · Exercises: curation and formats
# Each of these small functions decides over millions of texts that nobody will ever look at. So it must be right where nobody
# looks: at the 2,000th line, in Greek, and in the page that comes next year.
#
# Write into the cells marked `YOUR CODE HERE`, run them, and run the check below. `sheet.hint("candidates")` gives a hint,
# `sheet.hint("candidates", 2)` the last one.

# %%
import hashlib
import json

import fmcourse as fm

sheet = fm.classroom.sheet("07")

# %% [markdown] exercise="candidates" kind="implement" difficulty=3 minutes=20 claims=["D2"]
# ## Which pairs are worth a look?
# The lesson makes a *sketch* of each text: numbers, of which two texts share about as many as they share word runs. To compare
# all pairs is still too much. So cut each sketch into bands, and look at pairs that agree in a whole band.

# %%
def candidates(sketches: list[list[int]], rows: int) -> set[tuple[int, int]]:
    """Pairs of texts that agree in all numbers of at least one band.

    Args:
        sketches: one a text, all of the same length, which `rows` divides.
        rows: numbers in a band; bands lie side by side, and only those at the same place of two
            sketches are compared.

    Returns:
        Pairs of places in `sketches`, the smaller first.

    >>> candidates([[1, 2, 3, 4], [1, 2, 9, 9], [3, 4, 9, 8]], rows=2)
    {(0, 1)}
    """
    ### BEGIN SOLUTION
    pairs, boxes = set(), {}
    for place, sketch in enumerate(sketches):
        for start in range(0, len(sketch), rows):
            box = boxes.setdefault((start, *sketch[start:start + rows]), [])
            pairs |= {(other, place) for other in box}
            box.append(place)
    return pairs
    ### END SOLUTION


# %%
sheet.check(candidates)

# %% [markdown]
# **What it finds.** Of texts that share this part of their runs, the share that becomes a candidate, with 128 numbers. Which
# bands would you take to find copies that share 80 %, and to be bothered with few that share 40 %?

# %%
for rows in (2, 4, 8, 16):
    found = {shared: 1 - (1 - shared ** rows) ** (128 / rows) for shared in (0.4, 0.6, 0.8)}
    print(f"{rows} numbers a band:", *(f"{s:.0%} → {share:.1%}" for s, share in found.items()))

# %% [markdown] tags=["commentary"]
# **How it works.** Each band is a key of a dictionary, so equal bands meet without any comparison: the work grows with the texts,
# not with the pairs. The place belongs to the key, since the first number of one hash function says nothing about the third
# of another. Long bands miss, short ones waste; candidates are compared in earnest afterwards.

# %% [markdown] exercise="faults" kind="implement" difficulty=5 minutes=30 claims=["D5"]
# ## Line and column
# A tuning file in JSON Lines: every line one record with a prompt and a completion. A job in the cloud says "invalid file"
# after ten minutes. Say where.

# %%
def faults(text: str) -> list[tuple[int, int]]:
    """Where a file is at fault: (line, column), both counted from 1, one for each bad line.

    A good line is a JSON object with the keys "prompt" and "completion", each once, and no others;
    both are texts that hold more than white space. The column is where the JSON parser stops, or
    1 if the line is JSON but no good record. Lines end with a line feed; the last one may lack
    it. An empty line is at fault in column 1.

    >>> faults('{"prompt": "Hello", "completion": "Hi."}\\n{"prompt": "Hello" "completion": 1}\\n')
    [(2, 20)]
    """
    ### BEGIN SOLUTION
    found = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            pairs = json.loads(line, object_pairs_hook=list)
        except json.JSONDecodeError as error:
            found.append((number, error.colno))
            continue
        good = line.lstrip().startswith("{") and sorted(key for key, _ in pairs) == [
            "completion", "prompt"]
        if not good or not all(isinstance(said, str) and said.strip() for _, said in pairs):
            found.append((number, 1))
    return found
    ### END SOLUTION


# %%
sheet.check(faults)

# %% [markdown]
# **Investigate.** Write five records of your own, in a text editor, by hand, and one of them in a spreadsheet's export. What does
# `faults` say, and what `fmcourse data check mine.jsonl --for llama-3.1-8b`?

# %%
mine = '{"prompt": "Peru?", "completion": "Lima."}\n{"prompt": “Hello”, "completion": ""}'
print(faults(mine))

# %% [markdown] tags=["commentary"]
# **How it works.** A parser says where it stopped; the rest is being strict. `json.loads` keeps the last of two equal keys without
# a word, so the pairs must be seen before they become a dictionary. And `splitlines` breaks at U+2028, too, which may stand
# in a JSON text: one good record becomes two bad lines, in somebody else's language first.

# %% [markdown] exercise="keep_text" kind="debug" difficulty=2 minutes=15 claims=["D2", "D1"]
# ## The filter that knew no Greek
# A filter should drop texts that are mostly signs and digits. After it ran, a corpus of twelve languages had one left, and
# headlines were gone. Run it and find two faults.

# %%
def faulty_keep(text):
    letters = sum("a" <= sign <= "z" for sign in text)
    return letters / len(text) >= 0.6


for sample in ("The bridge is closed.", "BRIDGE CLOSED", "Η γέφυρα είναι κλειστή.",
               "a b c d e f g h i", "|--|--| 12.50 | 13.75 | x |"):
    print(faulty_keep(sample), sample)

# %%
def keep_text(text: str) -> bool:
    """Whether at least 60 % of a text's signs are letters, of any script, small or capital.

    White space does not count as a sign. A text without any sign is not kept.

    >>> keep_text("Ωμέγα!"), keep_text("7 + 8 = 15")
    (True, False)
    """
    ### BEGIN SOLUTION
    signs = [sign for sign in text if not sign.isspace()]
    return bool(signs) and sum(map(str.isalpha, signs)) / len(signs) >= 0.6
    ### END SOLUTION


# %%
sheet.check(keep_text)

# %% [markdown] tags=["commentary"]
# **What was wrong.** `"a" <= sign <= "z"` is English in small letters, and blanks counted against a text, so short words did, too.
# No test on English prose would have shown either. Look at what a filter *drops*, by language and by source, before you look
# at what it keeps.

# %% [markdown] exercise="split_places" kind="implement" difficulty=3 minutes=20 claims=["D2", "D5"]
# ## A split that stays
# Pages of one document belong on one side, or the test is half read. And next month, when pages have come and gone, yesterday's
# test must not have wandered into training. A hash of the document's name does both.

# %%
def split_places(records: list[dict[str, str]], held_out: float) -> tuple[list[int], list[int]]:
    """Places of records for training, and places of those held out.

    Args:
        records: with "document" and "text".
        held_out: share of documents to hold out, roughly: those for which the first eight hex
            digits of the name's SHA-256 (UTF-8), as a number divided by 16 ** 8, are below it.

    >>> split_places([{"document": "a", "text": ""}, {"document": "b", "text": ""}], 0.5)
    ([0], [1])
    """
    ### BEGIN SOLUTION
    training, held = [], []
    for place, record in enumerate(records):
        digest = hashlib.sha256(record["document"].encode()).hexdigest()
        share = int(digest[:8], 16) / 16 ** 8
        (held if share < held_out else training).append(place)
    return training, held
    ### END SOLUTION


# %%
sheet.check(split_places)

# %% [markdown] tags=["commentary"]
# **How it works.** A good hash spreads names evenly over 0 to 1, and depends on nothing but the name. A shuffled list of documents
# gives a better share, and another split as soon as one document comes. Python's own `hash` of a text changes with every
# start of the interpreter. What neither sees: one document under two names, so remove copies first.

# %% [markdown] exercise="contaminated" kind="investigate" difficulty=2 minutes=35 claims=["D2"]
# ## The test was in the book
# A question that stands somewhere in a training text, in the middle of a page, measures memory. Find it by runs of words.

# %%
def contaminated(train: list[str], test: list[str], n: int) -> list[int]:
    """Places of the test texts that share a run of `n` words in a row with any training text.

    Words are what white space separates; capitals do not matter. A text with fewer than `n` words
    has no such run.

    >>> contaminated(["We saw the old bridge fall."], ["the old BRIDGE stood", "old bridge"], 3)
    [0]
    """
    ### BEGIN SOLUTION
    def runs(text):
        words = text.lower().split()
        return {tuple(words[i:i + n]) for i in range(len(words) - n + 1)}

    seen = set().union(*map(runs, train))
    return [place for place, text in enumerate(test) if runs(text) & seen]
    ### END SOLUTION


# %%
sheet.check(contaminated)

# %% [markdown]
# **Investigate.** Take a folder of your own texts: notes, mails, a book. `data.own` holds a twentieth of it out; nothing leaves
# your machine. How much of what is held out shares a run of words with what is trained on? At which length of run is it
# copies, and no more phrases? Beforehand, write down what you expect at eight words.

# %%
folder = ""  # yours, such as "~/notes"; without one, three sentences against two
sheet.own("contaminated", folder)
training = ["Thank you for your letter of the first of May.", "We are glad to hear it.", "Yes."]
held = ["Thank you for your letter of the second of May.", "The bridge is closed."]
if folder:
    parts = fm.data.own(folder)
    training, held = parts["train"]["text"], parts["validation"]["text"]
for n in (3, 5, 8, 13):
    found = contaminated(training, held, n)
    print(f"runs of {n}: {len(found)} of {len(held)}", *(held[i][:60] for i in found[:1]))

# %% [markdown]
# **Your finding.** Four or five sentences. Would you believe a loss that was measured on this part?
#
# ### BEGIN SOLUTION
# *Such a finding might read (its numbers are made up):* My folder holds 1,400 mails, 70 of them held out. At runs of five words
# 61 of those share one, which are greetings and phrases; at eight it was 22, and I had expected five. I read all 22: fourteen
# quote a mail that is in training, six are my signature, two are a letter I sent twice. At thirteen words only quotes and
# copies are left, 15. So a fifth of the held-out part has been read, and its loss flatters the model. I would hold out whole
# threads instead of mails, cut quotes away, and measure again; mails in other words about the same thing this search cannot see.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | foretold | an expectation was written down before the number was seen |
# | looked | has read what was flagged, and says which of it are copies and which are phrases |
# | length | gives a length of run at which the two part, with the counts beside it |
# | remedy | says what would be held out otherwise, or what the search cannot find |

# %% [markdown] tags=["commentary"]
# **How it works.** The training runs are gathered once, then each test text asks a set. Published reports use runs of 8 to 13
# words; shorter ones flag every "at the end of the day". A translated or reworded question gets through: a clean result means
# that *this* search found nothing.

# %% [markdown] exercise="decisions" kind="design" difficulty=2 minutes=20 claims=["D1", "D2", "D3", "D6"]
# ## What to do about it
# Six findings in a new corpus. Choose for each: *repair*, *drop*, *keep one*, *ask the owner*, *let a person look*, *leave it*.
#
# - `signs`: "In a third of the pages it says cafÃ© for café."
# - `mirror`: "Every page of the manual comes twice, from two addresses."
# - `quiz`: "Twelve pages hold questions of the benchmark we shall report."
# - `forum`: "40,000 posts of a forum. Nowhere does it say under which licence."
# - `doubts`: "A model doubts the labels of 200 records. It is right about half of those."
# - `slang`: "Users' letters have spelling mistakes, as letters will have in use."

# %%
def decisions() -> dict[str, str]:
    """Your choice for each of the six.

    >>> ", ".join(sorted(decisions()))
    'doubts, forum, mirror, quiz, signs, slang'
    """
    ### BEGIN SOLUTION
    return {"signs": "repair", "mirror": "keep one", "quiz": "drop", "forum": "ask the owner",
            "doubts": "let a person look", "slang": "leave it"}
    ### END SOLUTION


# %%
sheet.check(decisions)

# %% [markdown]
# **Your proof.** Somebody says the cleaning is wasted money: a third of the text is gone. How would you find out whether it pays?
# Four or five sentences.
#
# ### BEGIN SOLUTION
# We train the same small network twice, with the same number of steps and tokens, on the raw and on the cleaned text, with three
# seeds each. Both are measured in bits per byte on text that neither has read and that was not chosen by our filters: pages
# people picked by hand. A third arm reads as much text as was kept, drawn at random from the raw, so that a smaller size cannot be
# the reason. We report losses by language and source, too, since a filter may help the mean and silence a group. It does not
# show that every step is needed; for that we leave out one step at a time.
# ### END SOLUTION

# %% [markdown]
# **Rubric**, a point each; you can mark your own.
#
# | point | it is earned by |
# |---|---|
# | same budget | both arms get the same network, steps and tokens |
# | fair test | the test is unread, and not made by the filter that is tested |
# | chance | more than one seed, or a reason why one will do |
# | who pays | looks at parts (languages, sources), not at the mean alone |

# %% [markdown] tags=["commentary"]
# **Why.** Repair what has one right form; drop what spoils a test; never throw away what use will be like. A licence is not a
# property of the text, so no program can find it. And a flag that is right half of the time is a reading list, not a verdict.

# %% [markdown]
# ## Done?
# Answers with commentary are in `solutions/07_data_curation.ipynb`.
