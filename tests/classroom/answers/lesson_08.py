"""Other right programs for lesson 08, and edits of the solutions that make known mistakes."""

import hashlib
import re
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


OTHERS = {
    "pseudonyms": [pseudonyms_with_an_object],
    "allowed": [allowed_by_patterns],
    "broken_at": [broken_by_writing_anew],
    "to_retrain": [retrain_by_looking_back],
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
