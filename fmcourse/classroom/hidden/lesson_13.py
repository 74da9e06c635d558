"""Fresh cases of lesson 13."""

from __future__ import annotations

from fmcourse.classroom.hidden import Case, Draw

WORDS = ["the", "a", "queue", "bucket", "key", "limit", "holds", "object", "ten", "days", "of",
         "name"]
ABOUT = ["warranty", "returns", "delivery", "payment", "repair", "size", "colour"]
GB = 10**9


def _search(draw: Draw) -> Case:
    """A frequent word, rare ones, one that is asked for twice, one that nobody has."""
    documents = [["the"] * draw.randrange(3) + draw.choices(WORDS, k=draw.randint(2, 14))
                 for _ in range(draw.randint(3, 7))]
    query = draw.choices(WORDS, k=draw.randint(1, 4))
    query += draw.each([[], query[:1], ["planet"], ["the"]])
    return query, documents, draw.uniform(0.8, 2), draw.uniform(0.3, 1)


def _index(draw: Draw) -> Case:
    """Manuals, tests' own records, and copies of their questions, as they were or not."""
    about = draw.sample(ABOUT, 4)
    tests = [{"id": f"t{i}", "question": f"What of the {thing}?", "answer": f"{i + 2} weeks"}
             for i, thing in enumerate(about[:2])]
    first = tests[0]
    changed = draw.choice([str.upper, lambda text: text.replace(" ", "  "),
                           lambda text: text.replace(" of ", "\nof ")])
    documents = [
        {"id": "manual 1", "text": f"The {about[0]}: {first['answer']}."},
        {"id": "manual 2", "text": f"What the {about[1]} is, and what of it."},
        {"id": "t1", "text": f"Solved; it was about {about[1]}."},
        {"id": "mail 1", "text": f"You ask: {changed(first['question'])} See our pages."},
        {"id": "forum", "text": f"{first['question']} Long."},
        {"id": "t7", "text": f"What of the {about[2]}? As ever."},
        {"id": "manual 3", "text": f"The {about[0]}? See what is said of {about[1]}."}]
    return draw.sample(documents, draw.randint(4, 7)) + documents[:1], tests


def _dated(draw: Draw) -> Case:
    """Answers that stayed, changed or came, some of them said right, stale or wrong."""
    old = {f"kept {i}": str(draw.randint(1, 9)) for i in range(draw.randint(2, 4))}
    new = dict(old)
    for i in range(draw.randint(2, 4)):
        old[f"changed {i}"], new[f"changed {i}"] = map(str, draw.sample(range(10, 99), 2))
    for i in range(draw.randint(1, 2)):
        new[f"came {i}"] = str(draw.randint(100, 999))
    said = {one: draw.choice([new[one], new[one], old.get(one, "none"), "0"]) for one in new}
    said["changed 0"] = "0"  # wrong, and not stale
    return said, old | {"gone": "7"}, new


def _folder(draw: Draw) -> Case:
    """A folder that could be imported, but for one thing or nothing."""
    name = draw.choice(["LlamaForCausalLM", "MistralForCausalLM"])
    known, config = {"LlamaForCausalLM", "MistralForCausalLM"}, {"architectures": [name]}
    files = {"config.json": 700, "tokenizer.json": 10**6, "tokenizer_config.json": 900}
    count = draw.randint(2, 6)
    shards = {f"model-{i:05}-of-{count:05}.safetensors": draw.randint(1, 9) * GB
              for i in range(1, count + 1)}
    one = {"model.safetensors": draw.randint(1, 90) * GB}
    kind = draw.each(["one", "shards", "lost", "pickle", "adapter", "large", "other", "none",
                      "tokenizer", "in all", "at the bound", "just below"])
    each = [200 * GB // count] * (count - 1)
    each.append(200 * GB - sum(each) + {"in all": GB, "just below": -1}.get(kind, 0))
    files |= {"at the bound": dict(zip(shards, each, strict=True)),
              "in all": dict(zip(shards, each, strict=True)),
              "just below": dict(zip(shards, each, strict=True)) | {"old.bin": GB},
              "shards": shards, "lost": shards, "pickle": {"pytorch_model.bin": GB},
              "adapter": {"adapter_model.safetensors": 10**6},
              "large": {"model.safetensors": draw.randint(201, 213) * GB}}.get(kind, one)
    if kind == "lost":
        del files[draw.choice([*shards])]
    if kind == "tokenizer":
        del files[draw.choice(["tokenizer.json", "tokenizer_config.json"])]
    return files, {"other": {"architectures": ["PhiForCausalLM"]}, "none": {}}.get(
        kind, config), known


FRESH = {"bm25": _search, "searchable": _index, "freshness": _dated, "import_faults": _folder}
