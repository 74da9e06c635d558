"""Other right programs for lesson 13, and edits of the solutions that make known mistakes."""

import re

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


def searchable_by_pattern(documents, tests):
    copies = [re.compile(r"\s+".join(map(re.escape, test["question"].split())), re.IGNORECASE)
              for test in tests]
    ids = [test["id"] for test in tests]
    return [place for place, document in enumerate(documents)
            if ids.count(document["id"]) == 0
            and all(copy.search(document["text"]) is None for copy in copies)]


def freshness_with_sets(said, old, new):
    same = {question for question, answer in new.items() if (question, answer) in old.items()}
    news = new.keys() - same
    right = {question for question, answer in said.items() if new.get(question) == answer}
    stale = {question for question, answer in said.items() if (question, answer) in old.items()}
    return {"kept": len(same & right) / len(same), "fresh": len(news & right) / len(news),
            "stale": len(news & stale) / len(news)}


def faults_by_pattern(files, config, known):
    parts = {name: re.fullmatch(r"(?!adapter).*?(?:-(\d+)-of-(\d+))?\.safetensors", name)
             for name in files}
    parts = {name: found for name, found in parts.items() if found}
    faults = []
    if len(parts) == 0:
        faults.append("weights")
    counts = {int(found[2]) for found in parts.values() if found[2]}
    seen = {int(found[1]) for found in parts.values() if found[1]}
    if any(seen != set(range(1, count + 1)) for count in counts):
        faults.append("shards")
    if sum(map(files.get, parts)) // 10**9 >= 200:
        faults.append("size")
    if "tokenizer.json" not in files or "tokenizer_config.json" not in files:
        faults.append("tokenizer")
    if known.isdisjoint(config.get("architectures", ())):
        faults.append("architecture")
    return set(faults)


def searchable_by_a_bag_of_words(documents, tests):
    return [place for place, document in enumerate(documents) if not any(
        test["id"] == document["id"] or set(test["question"].lower().split()) <= set(
            document["text"].lower().split()) for test in tests)]


def _size_by(too_large):
    def faults(files, config, known):
        weights = [size for name, size in files.items()
                   if name.endswith(".safetensors") and not name.startswith("adapter")]
        found = faults_by_pattern(files, config, known) - {"size"}
        return found | ({"size"} if too_large(weights, files.values()) else set())
    return faults


faults_file_by_file = _size_by(lambda weights, files: max(weights, default=0) >= 200e9)
faults_of_all_files = _size_by(lambda weights, files: sum(files) >= 200e9)
faults_above_the_bound = _size_by(lambda weights, files: sum(weights) > 200e9)


OTHERS = {
    "bm25": [scores_by_bm25s, scores_with_a_matrix],
    "searchable": [searchable_by_pattern, searchable_by_words],
    "freshness": [freshness_with_sets, freshness_by_counting],
    "import_faults": [faults_by_pattern, faults_one_by_one],
}
WRONG = {
    "searchable": [searchable_by_a_bag_of_words],
    "import_faults": [faults_file_by_file, faults_of_all_files, faults_above_the_bound],
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
