"""Other right programs for lesson 02, and edits of the solutions that make known mistakes."""

from fractions import Fraction


def labels_by_zip(record):
    parts = [("prompt", False), ("completion", True), ("text", True)]
    return tuple(token if counts else -100 for key, counts in parts
                 for token in record.get(key, ()))


def replay_with_a_counter(new, old, share):
    rows, replayed = [], 0
    for row in new:
        rows.append(row)
        while replayed + 1 <= share * (len(rows) + 1) + 1e-9:
            rows.append(old[replayed])
            replayed += 1
    return rows


def replay_in_blocks(new, old, share):
    share = Fraction(share).limit_denominator(100)
    if not share:
        return list(new)
    size, count = share.denominator, share.numerator
    due = {size * place // count for place in range(count)}
    rows, fresh, reminders = [], iter(new), iter(old)
    for _ in range(len(new) // (size - count)):
        rows += [next(reminders if place in due else fresh) for place in range(size)]
    return rows


def last_good_by_next(general, rise):
    broken = next((i for i, bits in enumerate(general) if bits - general[0] > rise), len(general))
    return broken - 1


def refresh_page_by_page(old, new):
    out = {"replay": [], "read": []}
    for name in sorted(new):
        same = " ".join(new[name].split()) == " ".join(old.get(name, "\0").split())
        out["replay" if same else "read"].append(name)
    return out


def labels_by_slices(record):
    if len(record) == 1:
        return record["text"][:]
    ids = record["prompt"] + record["completion"]
    ids[:len(record["prompt"])] = [-100 for _ in record["prompt"]]
    return ids


def last_good_while(general, rise):
    place, bound = 0, general[0] + rise
    while place + 1 < len(general) and not general[place + 1] > bound:
        place += 1
    return place


def refresh_by_items(old, new):
    def words(pages):
        return {(name, tuple(text.split())) for name, text in pages.items()}

    names = [{name for name, _ in part} for part in (
        words(new) - words(old), words(new) & words(old))]
    return dict(zip(("read", "replay"), map(sorted, names), strict=True))


def refresh_by_sets_of_words(old, new):
    same = {name for name in old.keys() & new if set(old[name].split()) == set(new[name].split())}
    return {"read": sorted(new.keys() - same), "replay": sorted(same)}


def refresh_by_sorted_words(old, new):
    same = {name for name in old.keys() & new if (
        sorted(old[name].split()) == sorted(new[name].split()))}
    return {"read": sorted(new.keys() - same), "replay": sorted(same)}


def refresh_in_small_letters(old, new):
    same = {name for name in old.keys() & new if (
        old[name].lower().split() == new[name].lower().split())}
    return {"read": sorted(new.keys() - same), "replay": sorted(same)}


def refresh_without_blanks(old, new):
    same = {name for name in old.keys() & new if (
        "".join(old[name].split()) == "".join(new[name].split()))}
    return {"read": sorted(new.keys() - same), "replay": sorted(same)}


OTHERS = {
    "graded_labels": [labels_by_slices, labels_by_zip],
    "with_replay": [replay_with_a_counter, replay_in_blocks],
    "last_good": [last_good_while, last_good_by_next],
    "refresh": [refresh_by_items, refresh_page_by_page],
}
WRONG = {
    "refresh": [refresh_by_sets_of_words, refresh_by_sorted_words, refresh_in_small_letters,
                refresh_without_blanks],
}
EDITS = {
    "predicted_changes": [('"general": "worse"', '"general": "same"', "General text does not"),
                          ('"same"', '"better"', "A manual holds")],
    "graded_labels": [("[-100] * len(record[\"prompt\"])", 'record["prompt"]', "You grade the"),
                      ("[-100] * len(record[\"prompt\"]) + ", "", "You took the prompt away")],
    "with_replay": [
        ("round(len(new) * share / (1 - share))", "0\n    return new + old[:round(len(new) * share "
         "/ (1 - share))]", "The number is right, but all old rows stand at the end")],
    "last_good": [("return place - 1", "return place", "You gave the look that broke"),
                  ("general[0] + rise", "general[place - 1] + rise if place else False",
                   "You compared each look with the one before"),
                  ("general[0] + rise", "general[0] * (1 + rise)", "You took `rise` as a share")],
    "refresh": [(".split()", "", "A page whose line breaks"),
                ("sorted(new.keys() - same)", "sorted(new)", "You read the whole"),
                ("sorted(new.keys() - same)", "sorted(new.keys() - old.keys())",
                 "You read only pages with a new name")],
    "routes": [('"prices": "retrieval"', '"prices": "fine-tuning"', "A model tuned on today's"),
               ('"tone": "prompt"', '"tone": "fine-tuning"', "For one sentence")],
}
