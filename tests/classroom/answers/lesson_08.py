"""Other right programs for lesson 08, and edits of the solutions that make known mistakes."""

import hashlib
import re
from collections import defaultdict, deque
from functools import lru_cache
from hmac import HMAC


def pseudonyms_with_an_object(names, key):
    made = []
    for name in names:
        digest = HMAC(key, digestmod=hashlib.sha256)
        digest.update(re.sub(r"\s+", " ", name.strip()).lower().encode("utf-8"))
        made.append("P-" + digest.digest()[:4].hex())
    return made


def allowed_by_patterns(statements, action, resource):
    def fits(patterns, text, flags=0):
        return any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), text, flags)
                   for one in patterns)

    answer = False
    for one in statements:
        if fits(one["Action"], action, re.I) and fits(one["Resource"], resource):
            if one["Effect"] == "Deny":
                return False
            answer = True
    return answer


def broken_by_writing_anew(log, head):
    before = "start"
    for place in range(len(log)):
        line, kept = log[place]
        before = hashlib.sha256((before + " " + line).encode()).hexdigest()
        if before != kept:
            return place
    if before != head:
        return len(log)


def retrain_by_looking_back(made_from, models, source):
    @lru_cache(None)
    def learnt(thing):
        return thing == source or any(learnt(part) for part in made_from.get(thing, ()))

    return {model for model in models if learnt(model)}


def pseudonyms_by_the_definition(names, key):
    """HMAC as RFC 2104 writes it: two hashes, and the key in each."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    padded = key.ljust(64, b"\0")
    inner, outer = (bytes(one ^ sign for one in padded) for sign in (0x36, 0x5C))
    made = []
    for name in names:
        text = " ".join(part for part in name.lower().replace("\t", " ").split(" ") if part)
        within = hashlib.sha256(inner + text.encode()).digest()
        made.append("P-" + hashlib.sha256(outer + within).hexdigest()[:8])
    return made


def allowed_by_pieces(statements, action, resource):
    def fits(pattern, text):
        first, *others = pattern.split("*")
        if not others:
            return pattern == text
        if not text.startswith(first):
            return False
        place = len(first)
        for piece in others[:-1]:
            place = text.find(piece, place)
            if place < 0:
                return False
            place += len(piece)
        return len(text) - place >= len(others[-1]) and text.endswith(others[-1])

    effects = [one["Effect"] for one in statements
               if any(fits(part.upper(), action.upper()) for part in one["Action"])
               and any(fits(part, resource) for part in one["Resource"])]
    return effects.count("Allow") > 0 == effects.count("Deny")


def broken_by_pairs(log, head):
    hashes = ["start", *[kept for _, kept in log]]
    for place, (before, (line, kept)) in enumerate(zip(hashes, log, strict=False)):
        if hashlib.sha256(f"{before} {line}".encode()).hexdigest() != kept:
            return place
    return len(log) if hashes[-1] != head else None


def retrain_breadth_first(made_from, models, source):
    makes = defaultdict(set)
    for thing, parts in made_from.items():
        for part in parts:
            makes[part].add(thing)
    queue, seen = deque([source]), set()
    while queue:
        for thing in makes[queue.popleft()] - seen:
            seen.add(thing)
            queue.append(thing)
    return {thing for thing in seen if thing in models}


def allowed_with_stars_at_the_end(statements, action, resource):
    def fits(pattern, text):
        return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern

    said = {one["Effect"] for one in statements
            if any(fits(part.lower(), action.lower()) for part in one["Action"])
            and any(fits(part, resource) for part in one["Resource"])}
    return "Allow" in said and "Deny" not in said


OTHERS = {
    "pseudonyms": [pseudonyms_by_the_definition, pseudonyms_with_an_object],
    "allowed": [allowed_by_pieces, allowed_by_patterns],
    "broken_at": [broken_by_pairs, broken_by_writing_anew],
    "to_retrain": [retrain_breadth_first, retrain_by_looking_back],
}
WRONG = {
    "allowed": [allowed_with_stars_at_the_end],
}
EDITS = {
    "predicted_flags": [('"half"', '"nine in ten"', "Nine of ten cards are *found*"),
                        ('"one in ten"', '"none"', "A check digit guards")],
    "pseudonyms": [('hmac.new(key, name.encode(), "sha256")', "hashlib.sha256(name.encode())",
                    "There is no key in it"),
                   ('hmac.new(key, name.encode(), "sha256")',
                    "hashlib.sha256(key + name.encode())", "A hash of key and name glued"),
                   ('" ".join(name.lower().split())', "name.lower()", "White space still")],
    "allowed": [(' and "Deny" not in said', "", "One Allow is enough"),
                ('"Allow" in said and ', "", "You allow what nobody"),
                ("action.lower(), part.lower()", "action, part", "Capitals do not matter")],
    "broken_at": [("None if before == head else len(log)", "None", "The first line is checked"),
                  ("!= kept:", "!= kept and place:", "The head is compared now"),
                  ("len(log)", "len(log) - 1", "Where the last hash")],
    "to_retrain": [("grew = not more <= touched", "grew = False", "You look one step"),
                   ("touched & models", "touched - {source}", "You give data sets"),
                   ("if touched & {*parts}", "if (touched - models) & {*parts}",
                    "You stop at models")],
    "measures": [('"who": "audit log"', '"who": "lineage"', "Lineage says what"),
                 ('"names": "redaction"', '"names": "least privilege"', "Roles guard")],
}
