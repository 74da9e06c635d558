"""Other right programs for lesson 13, and edits of the solutions that make known mistakes."""

import bm25s
import numpy as np


def scores_by_bm25s(query, documents, k1, b):
    index = bm25s.BM25(k1=k1, b=b, method="lucene")
    index.index([list(text) for text in documents], show_progress=False)
    total = np.zeros(len(documents))
    for word in query:
        if any(word in text for text in documents):
            total += index.get_scores([word])
    return total.tolist()


def scores_with_a_matrix(query, documents, k1, b):
    counts = np.array([[text.count(word) for word in query] for text in documents], float)
    sizes = np.array([len(text) for text in documents])
    n = (counts > 0).sum(0)
    rarity = np.log1p((len(documents) - n + 0.5) / (n + 0.5))
    much = counts / (counts + k1 * (1 - b + b * sizes / sizes.mean())[:, None])
    return list(much @ rarity)


def searchable_by_words(documents, tests):
    left = []
    for place, document in enumerate(documents):
        words = document["text"].lower().split()
        hit = False
        for test in tests:
            asked = test["question"].lower().split()
            windows = (" ".join(words)[i:] for i in range(len(" ".join(words))))
            hit |= document["id"] == test["id"] or any(
                window.startswith(" ".join(asked)) for window in windows)
        if not hit:
            left.append(place)
    return left


def freshness_by_counting(said, old, new):
    tally = {"kept": [], "fresh": [], "stale": []}
    for question, answer in new.items():
        if question in old and old[question] == answer:
            tally["kept"].append(said[question] == answer)
        else:
            tally["fresh"].append(said[question] == answer)
            tally["stale"].append(question in old and said[question] == old[question])
    return {name: np.mean(hits) for name, hits in tally.items()}


def faults_one_by_one(files, config, known):
    found, weights, ends = set(), 0, []
    for name, size in files.items():
        if name.endswith(".safetensors") and "adapter" not in name:
            weights += size
            ends.append(name.split(".")[0].split("-of-")[-1])
    if not ends:
        found.add("weights")
    elif ends[0].isdigit() and int(ends[0]) != len(ends):
        found.add("shards")
    if weights / 1e9 >= 200:
        found.add("size")
    for needed in ("tokenizer.json", "tokenizer_config.json"):
        if needed not in files:
            found.add("tokenizer")
    if not any(name in known for name in config.get("architectures") or []):
        found.add("architecture")
    return found


OTHERS = {
    "bm25": [scores_by_bm25s, scores_with_a_matrix],
    "searchable": [searchable_by_words],
    "freshness": [freshness_by_counting],
    "import_faults": [faults_one_by_one],
}
EDITS = {
    "bm25": [
        ("math.log(1 + (count - n + 0.5) / (n + 0.5)) * f", "f", "You left out how rare"),
        ("sum(word in text for text in documents)", "sum(text.count(word) for text in documents)",
         "You count how often"),
        ("k1 * (1 - b + b * len(text) / mean)", "k1", "Long documents win"),
        ("for word in query:\n            f,", "for word in {*query}:\n            f,",
         "A word that is asked for twice"),
        ("f / (f + norm)", "f", "Ten times the word"),
        ("f / (f + norm)", "f * (k1 + 1) / (f + norm)", "That is the older form"),
        ("math.log(1 + (count", "math.log((count", "You left out the 1 inside")],
    "searchable": [
        ('document["id"] not in own', "True", "Copies of the questions are out"),
        ("question in folded", "False and question in folded", "The tests' own records are out"),
        ('" ".join(text.casefold().split())', "text", "A copy with other capitals"),
        ('[folded(test["question"])', '[folded(test[key]) for key in ("question", "answer")',
         "You also threw out")],
    "freshness": [
        ("old.get(question) != new[question]", "question not in old", "You looked for what is new"),
        ("old.get(question) != new[question]", "old.get(question, new[question]) != new[question]",
         "What is new altogether"),
        ("/ len(questions)", "/ len(new)", "You took shares of all"),
        ("share(changed, old)", "1 - share(changed, new)", "You call every wrong")],
    "import_faults": [
        (' and not name.startswith("adapter")', "", "An adapter is no model"),
        ('name.endswith(".safetensors")', 'name.endswith((".safetensors", ".bin"))',
         "You take pickles"),
        ("bool(wanted) and len(wanted) < wanted[0]", "False", "You do not count"),
        ("200e9", "200 * 1024**3", "Your gigabytes"),
        ('not known & {*config.get("architectures", [])}',
         'any(name not in known for name in config.get("architectures", []))',
         "A folder that names no")],
    "predicted_jobs": [('"epochs": "refused"', '"epochs": "accepted"', "Fifty times"),
                       ('"ungraded": "refused"', '"ungraded": "accepted"', "Somebody has to")],
    "method": [('"form": "few-shot"', '"form": "fine-tuning"', "Nobody may train"),
               ('"tariffs": "retrieval"', '"tariffs": "fine-tuning"', "By Monday it would")],
}
