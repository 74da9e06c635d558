"""Lesson 13, choosing and shipping: BM25, leaks, freshness, a folder to import, jobs, methods."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from fmcourse.classroom.check import Exercise, chosen

Words = Sequence[str]


def _rarity(holding: int, documents: int) -> float:
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))


def _bm25(rarity: Callable[[int, int], float] = _rarity, top: Callable[[float], float] = float,
          long: bool = True, asked: Callable[[Words], Sequence[str]] = list,
          holding: Callable[[str, Sequence[Words]], int] = lambda word, documents: sum(
              word in text for text in documents), saturated: bool = True) -> Callable:
    """`top` makes the numerator of f and k1; the rest is what its name says."""
    def scores(query: Words, documents: Sequence[Words], k1: float, b: float) -> list[float]:
        mean = sum(map(len, documents)) / len(documents)
        made = []
        for text in documents:
            counts, total = Counter(text), 0.0
            norm = k1 * (1 - b + b * len(text) / mean) if long else k1
            for word in asked(query):
                f = counts[word]
                much = top(f) / (f + norm) if saturated else f
                total += rarity(holding(word, documents), len(documents)) * much
            made.append(total)
        return made
    return scores


def _classic(query: Words, documents: Sequence[Words], k1: float, b: float) -> list[float]:
    return [(k1 + 1) * score for score in _bm25()(query, documents, k1, b)]


_PAGES = [line.split() for line in (
    "the limit of a queue is ten", "a queue holds messages and a message waits in the queue queue",
    "the bucket holds the objects", "buckets and objects and keys have a limit of names",
    "the the the key")]

BM25 = Exercise(
    "bm25", _bm25(),
    {"one word": (["queue"], _PAGES, 1.5, 0.75), "a frequent and a rare one": (
        ["the", "limit"], _PAGES, 1.5, 0.75),
     "a word asked for twice": (["objects", "objects", "key"], _PAGES, 1.2, 0.5),
     "a word that nobody has": (["planet", "key"], _PAGES, 1.5, 1.0)},
    {"You left out how rare a word is: \"the\" would count like \"queue\".":
        _bm25(rarity=lambda holding, documents: 1.0),
     "You count how often a word occurs in all. For its rarity count the *documents* that have it.":
        _bm25(holding=lambda word, documents: sum(list(text).count(word) for text in documents)),
     "Long documents win because they are long: `b` does nothing in your score.":
        _bm25(long=False),
     "Ten times the word is ten times the score. BM25 has enough of a word soon: f / (f + …).":
        _bm25(saturated=False),
     "A word that is asked for twice counts twice.": _bm25(asked=lambda query: sorted(set(query))),
     "You left out the 1 inside the logarithm: words of most documents then count *against* one.":
        _bm25(rarity=lambda holding, documents: math.log(
            (documents - holding + 0.5) / (holding + 0.5))),
     "That is the older form, k1 + 1 times as much. The order is the same; the scores are not.":
        _classic},
    ("For each word of the query two factors: how rare it is among documents, and how much of it "
     "this document has for its length.",
     "Count for each word of the query in how many documents it is, once, before the loop over "
     "documents. Then two loops, and the two factors as they stand above. A word that nobody "
     "has adds 0 by itself."))

Records = Sequence[Mapping[str, str]]


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _searchable(by_id: bool = True, fold: Callable[[str], str] = _fold, question: bool = True,
                answer: bool = False) -> Callable:
    def kept(documents: Records, tests: Records) -> list[int]:
        def leaks(document: Mapping[str, str], test: Mapping[str, str]) -> bool:
            text = fold(document["text"])
            return ((by_id and document["id"] == test["id"])
                    or (question and fold(test["question"]) in text)
                    or (answer and fold(test["answer"]) in text))
        return [place for place, document in enumerate(documents)
                if not any(leaks(document, test) for test in tests)]
    return kept


_TESTS = [{"id": "t1", "question": "How long is the warranty?", "answer": "Two years"},
          {"id": "t2", "question": "Who pays for returns?", "answer": "We do"}]
_DOCUMENTS = [
    {"id": "manual 3", "text": "The warranty runs for two years from delivery."},
    {"id": "t1", "text": "Solved: the customer was told that it is two years."},
    {"id": "mail 7", "text": "Anna asked:\n> how long is  the warranty?\nTwo years, we said."},
    {"id": "t9", "text": "Question: Can I pay later? Answer: yes, within a month."},
    {"id": "forum", "text": "Who pays for returns? We do, said the shop."},
    {"id": "manual 8", "text": "Returns: send it back within a month; we do the rest."},
    {"id": "notes", "text": "The warranty, and how long it is."}]

SEARCHABLE = Exercise(
    "searchable", _searchable(),
    {"seven documents": (_DOCUMENTS, _TESTS), "one test": (_DOCUMENTS, _TESTS[1:]),
     "another order": (_DOCUMENTS[::-1], _TESTS[:1]),
     "the same words otherwise": ([{"id": "manual 4", "text": "And the long warranty? This is how "
                                                              "you get it."}], _TESTS)},
    {"That is the code as it was given: only a document that *is* the question is found.":
        lambda documents, tests: [i for i, one in enumerate(documents) if one["text"] not in {
            test["question"] for test in tests}],
     "The tests' own records are out. Copies of their questions in mails and forums are still in.":
        _searchable(question=False),
     "Copies of the questions are out. A test's own record may word its question otherwise, and is "
     "still in.": _searchable(by_id=False),
     "A copy with other capitals or line breaks is still a copy.": _searchable(fold=str),
     "You also threw out whatever holds an answer. Then nothing can be found, by anybody: the "
     "manual is what retrieval is for.": _searchable(answer=True),
     "You look for the question's words wherever they stand. A copy has them word for word, in a "
     "row.": lambda documents, tests: [i for i, one in enumerate(documents) if not any(
         one["id"] == test["id"] or {*_fold(test["question"]).split()} <= {
             *_fold(one["text"]).split()} for test in tests)],
     "You give the documents that leak, not those that may be searched.":
        lambda documents, tests: sorted({*range(len(documents))} - {
            *_searchable()(documents, tests)})},
    ("Two ways for a test to get into an index: as its own record, and as a copy of its question "
     "elsewhere. And what must stay, although it holds the answer?",
     "Leave a document out if its id is a test's, or if a test's question is in its text; compare "
     "\" \".join(text.casefold().split()). Do not look at answers."))

Answers = Mapping[str, str]


def _fresh(news: Callable[[str, Answers, Answers], bool] | None = None,
           stale: Callable[[str, Answers, Answers, Answers], bool] | None = None,
           whole: bool = False) -> Callable:
    """`news` says whether a question is about news; `whole` divides by all questions."""
    def outdated(question: str, said: Answers, old: Answers, new: Answers) -> bool:
        return said[question] == old.get(question)

    def report(said: Answers, old: Answers, new: Answers) -> dict[str, float]:
        is_news = news or (lambda question, old, new: old.get(question) != new[question])
        changed = [one for one in new if is_news(one, old, new)]
        kept = [one for one in new if one not in changed]
        right = {one for one in new if said[one] == new[one]}
        bad = [one for one in changed if (stale or outdated)(one, said, old, new)]
        return {"kept": sum(one in right for one in kept) / (len(new) if whole else len(kept)),
                "fresh": sum(one in right for one in changed) / (
                    len(new) if whole else len(changed)),
                "stale": len(bad) / (len(new) if whole else len(changed))}
    return report


_OLD = {"queue size": "10", "key life": "90 days", "names": "63", "regions": "30", "tags": "50"}
_NEW = {"queue size": "25", "key life": "90 days", "names": "63", "regions": "36", "tags": "50",
        "agents": "100"}
_SAID = {"queue size": "10", "key life": "90 days", "names": "64", "regions": "36", "tags": "50",
         "agents": "7"}

FRESH = Exercise(
    "freshness", _fresh(),
    {"six questions": (_SAID, _OLD, _NEW),
     "a model of last year": (_OLD | {"agents": "none"}, _OLD, _NEW),
     "one that was told": (_NEW | {"tags": "51"}, _OLD | {"fax lines": "2"}, _NEW)},
    {"You took shares of all questions. Each is a share of its own kind.": _fresh(whole=True),
     "What is new altogether is news as well, though there was no answer before.":
        _fresh(news=lambda one, old, new: one in old and old[one] != new[one]),
     "You call every wrong answer stale. Stale is one that *was* right.":
        _fresh(stale=lambda one, said, old, new: said[one] != new[one]),
     "You looked for what is new altogether. Answers that have changed are news, too.":
        _fresh(news=lambda one, old, new: one not in old),
     "Fresh and stale are asked of what has changed, kept of what has not; yours are exchanged.":
        _fresh(news=lambda one, old, new: old.get(one) == new[one])},
    ("First two lists of questions: the answer is as it was, or it is not (or was not there). Each "
     "share is one of its own list.",
     "old.get(question) is None where there was no answer, and so differs from any new one. "
     "Make the two lists first; then one small function for a share does all three, with `new` "
     "or with `old` as what counts."),
    sample="5428f58c32f3")

_LLAMA, _KNOWN = {"architectures": ["LlamaForCausalLM"]}, {"LlamaForCausalLM", "Qwen2ForCausalLM"}
_SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")
GB = 10**9


def _folder(weights: Callable[[str], bool] = lambda name: name.endswith(".safetensors"),
            adapters: bool = False, shards: bool = True, limit: float = 200 * GB,
            large: Callable[[Sequence[int], Sequence[int], float], bool] = (
                lambda sizes, everything, limit: sum(sizes) >= limit),
            builds: Callable[[Sequence[str], set[str]], bool] = lambda named, known: bool(
                known.intersection(named))) -> Callable:
    def faults(files: Mapping[str, int], config: Mapping, known: set[str]) -> set[str]:
        model = [name for name in files if weights(name)
                 and (adapters or not name.startswith("adapter"))]
        parts = [match for match in map(_SHARD.fullmatch, model) if match]
        found = {
            "weights": not model,
            "size": large([files[name] for name in model], [*files.values()], limit),
            "shards": shards and bool(parts) and len(parts) < int(parts[0][3]),
            "tokenizer": not {"tokenizer.json", "tokenizer_config.json"} <= files.keys(),
            "architecture": not builds(config.get("architectures", []), known)}
        return {name for name, wrong in found.items() if wrong}
    return faults


_REST = {"config.json": 700, "tokenizer.json": 2_000_000, "tokenizer_config.json": 900}
_PARTS = {f"model-{i:05}-of-00003.safetensors": 40 * GB for i in (1, 2, 3)}

IMPORT = Exercise(
    "import_faults", _folder(),
    {"a small model": (_REST | {"model.safetensors": 48_000_000}, _LLAMA, _KNOWN),
     "three shards": (_REST | _PARTS, _LLAMA, _KNOWN),
     "the second shard is lost": (_REST | {name: size for name, size in _PARTS.items()
                                           if "00002-of" not in name}, _LLAMA, _KNOWN),
     "one shard of three is left": (_REST | {"model-00003-of-00003.safetensors": 40 * GB}, _LLAMA,
                                    _KNOWN),
     "nothing but a tokenizer": ({name: size for name, size in _REST.items()
                                  if name != "config.json"}, _LLAMA, _KNOWN),
     "a pickle": (_REST | {"pytorch_model.bin": 48_000_000}, _LLAMA, _KNOWN),
     "an adapter alone": (_REST | {"adapter_model.safetensors": 9_000_000,
                                   "adapter_config.json": 500}, _LLAMA, _KNOWN),
     "shards of 240 GB in all": (_REST | {f"model-{i:05}-of-00006.safetensors": 40 * GB
                                          for i in range(1, 7)}, _LLAMA, _KNOWN),
     "200 GB": (_REST | {"model.safetensors": 200 * GB}, _LLAMA, _KNOWN),
     "a little less, and a pickle": (_REST | {"model.safetensors": 200 * GB - 1_000_000,
                                              "optimizer.bin": 9 * GB}, _LLAMA, _KNOWN),
     "205 GB": (_REST | {"model.safetensors": 205 * GB}, _LLAMA, _KNOWN),
     "another family": (_REST | {"model.safetensors": 5 * GB}, {
         "architectures": ["PhiForCausalLM"]}, _KNOWN),
     "no tokenizer.json": ({"config.json": 700, "tokenizer_config.json": 900,
                            "model.safetensors": 5 * GB}, {}, _KNOWN)},
    {"You take pickles for weights. They run code when they are opened, and are not imported.":
        _folder(weights=lambda name: name.endswith((".safetensors", ".bin"))),
     "An adapter is no model: it changes a base that is not in the folder. Merge it first.":
        _folder(adapters=True),
     "You do not count the shards: a name ends with how many there must be.":
        _folder(shards=False),
     "You know model.safetensors alone. A large model comes in several files.":
        _folder(weights="model.safetensors".__eq__),
     "Your gigabytes are gibibytes: 205 GB are 191 of those, and pass.":
        _folder(limit=200 * 2**30),
     "You ask of each file whether it is too large. All weights together are.": _folder(
         large=lambda sizes, everything, limit: max(sizes, default=0) >= limit),
     "You add up all files. Only weights count; what else lies there is not imported.": _folder(
         large=lambda sizes, everything, limit: sum(everything) >= limit),
     "200 GB *or more* is too large: exactly 200 is.": _folder(
         large=lambda sizes, everything, limit: sum(sizes) > limit),
     "A folder that names no architecture passes: `all` of nothing is true.":
        _folder(builds=lambda named, known: all(one in known for one in named))},
    ("One rule at a time, each a word that is in the set or not. Which names are weights of a "
     "whole model?",
     "Weights end with .safetensors and do not begin with adapter. Of a name like "
     "model-00001-of-00003 take the last number: so many there must be. 1 GB is 10⁹ bytes."))

JOBS = chosen(
    "predicted_jobs",
    {"tuned": "accepted", "epochs": "refused", "west": "refused", "pupil": "accepted",
     "master": "refused", "ungraded": "refused"},
    ("Which settings have limits, where does a job run, who may teach whom, and what does "
     "reinforcement need that others do not?",
     "Nova: 1 to 5 epochs, in us-east-1. A teacher is larger than its student. Who would score the "
     "replies of `ungraded`?"),
    slips={"Nothing is missing there: a model that can be tuned, a file, two epochs.":
           {"tuned": "refused"},
           "Fifty times through a small set it would be learnt by heart, and Nova takes 1 to 5.":
           {"epochs": "accepted"},
           "Not every model is customized in every region; Nova is in us-east-1, and bucket and "
           "key must be there, too.": {"west": "accepted"},
           "Nova Pro may teach Nova Micro; its answers are made by the job.": {"pupil": "refused"},
           "A small model has nothing to teach a larger one of its family.":
           {"master": "accepted"},
           "Somebody has to score the replies: a Lambda function is missing.":
           {"ungraded": "accepted"}})

METHODS = chosen(
    "method",
    {"tariffs": "retrieval", "boxes": "fine-tuning", "form": "few-shot", "polite": "prompt",
     "language": "continued pre-training", "dear": "distillation"},
    ("Three questions: what is there (a wish, a few examples, pairs, documents, a teacher)? How "
     "long does it stay true? What does the constraint forbid?",
     "A wish: prompt. Four examples: few-shot. Facts that change: retrieval. Thousands of pairs: "
     "tuning. Millions of pages: continued pre-training. A dear teacher: distillation."),
    slips={"By Monday it would be wrong again, and a tuned model names no paragraph.":
           {"tariffs": "fine-tuning"},
           "A language of many pages is learnt that way; which fee holds this week is not.":
           {"tariffs": "continued pre-training"},
           "Rules that nobody has written down cannot be looked up. They are in the 6,000 pairs.":
           {"boxes": "retrieval"},
           "Unwritten rules for forty boxes do not fit into a prompt, and a long one is too slow.":
           {"boxes": "prompt"},
           "Nobody may train anything; and four examples would not be enough to.":
           {"form": "fine-tuning"},
           "It does so when told. Then tell it.": {"polite": "fine-tuning"},
           "There are no pairs, and the trouble is the language itself, in every sentence.":
           {"language": "fine-tuning"},
           "A passage more in the prompt does not make a model read a language it stumbles over.":
           {"language": "retrieval"},
           "It is right already. What is wanted is the same for less.": {"dear": "fine-tuning"}})

EXERCISES = (BM25, SEARCHABLE, FRESH, IMPORT, JOBS, METHODS)
