"""Which route to a model that fits: six questions, what to build in which order, and why.

A small decision function, so that it can be read, disagreed with and drawn as a chart. Every reason
names the claims of the course that it rests on, so that advice can be checked and does not have to
be believed. Trade-off: coarse answers make coarse advice; the numbers of a real project (prices,
traffic, what a mistake costs) come after it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from fmcourse.errors import CourseError, meant

PROMPT, EXAMPLES, RETRIEVAL = "a prompt", "a prompt with examples", "retrieval"
CONTINUED, TUNING, DISTILLING = "continued pre-training", "fine-tuning", "distillation"
SCRATCH, BEDROCK, OWN = "pre-training from scratch", "Amazon Bedrock", "machines of your own"
PUBLISHED = "a published model behind an API"


class Question(NamedTuple):
    """What is asked, and what each answer means."""

    asks: str
    answers: dict[str, str]


QUESTIONS = {
    "examples": Question("How many examples of good replies are there?", {
        "none": "nobody has written any", "few": "up to a hundred or so",
        "hundreds": "several hundred, or more"}),
    "documents": Question("How much text of your field is there, without labels?", {
        "none": "no pages", "some": "pages that can be searched", "much": "billions of words"}),
    "facts": Question("Do replies need facts that a model has not read?", {
        "none": "no", "fixed": "yes, and they stay as they are",
        "changing": "yes, and they change"}),
    "speed": Question("Must a reply be cheaper or faster than a large model's?", {
        "any": "no", "fast": "yes"}),
    "budget": Question("What may training cost?", {
        "none": "nothing", "some": "hours of a GPU", "much": "weeks of many GPUs"}),
    "place": Question("Who may hold your data and run the model?", {
        "managed": "a managed service", "own": "only machines that you control"}),
}


@dataclass(frozen=True)
class Situation:
    """An answer to each of `QUESTIONS`.

    Raises:
        CourseError: an answer that the question does not have.

    >>> Situation("few", "some", "hourly", "any", "none", "own")
    Traceback (most recent call last):
    ...
    fmcourse.errors.CourseError: 'hourly' is no answer to: Do replies need facts that a model has \
not read?
      where: facts
      what to do: Choose from none, fixed, changing.
    """

    examples: str
    documents: str
    facts: str
    speed: str
    budget: str
    place: str

    def __post_init__(self) -> None:
        for one in fields(self):
            check(one.name, getattr(self, one.name))


def check(name: str, answer: str) -> str:
    """The answer to a question, if it is one.

    Raises:
        CourseError: it is none.
    """
    question = QUESTIONS[name]
    if answer not in question.answers:
        raise CourseError(f"{answer!r} is no answer to: {question.asks}", where=name,
                          fix=meant(answer, question.answers))
    return answer


class Reason(NamedTuple):
    """Why to take a route, or not; and the claims that it rests on."""

    route: str
    why: str
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What to build, in this order, each measured against the one before; and what to leave."""

    build: tuple[Reason, ...]
    leave: tuple[Reason, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        """Names of what to build, in order."""
        return tuple(reason.route for reason in self.build)


def advise(case: Situation) -> Advice:
    """The routes that fit a situation.

    >>> advise(Situation("hundreds", "some", "changing", "any", "some", "managed")).routes
    ('a prompt with examples', 'retrieval', 'fine-tuning', 'Amazon Bedrock')
    """
    tried = (_prompting(case), _retrieving(case), _continuing(case), _tuning(case),
             _distilling(case))
    build = tuple(reason for reason, fits in tried if fits)
    leave = tuple(reason for reason, fits in tried if not fits)
    scratch = Reason(SCRATCH, "Published bases have read more than anybody could pay for twice.",
                     ("K4", "K5"))
    return Advice((*build, _running(case, build)), (*leave, scratch))


Tried = tuple[Reason, bool]  # and whether the route fits


def _prompting(case: Situation) -> Tried:
    why = "It costs nothing to try, and whatever comes later has to beat it."
    if case.examples == "none":
        return Reason(PROMPT, f"{why} Write down twenty questions to test with.", ("M8",)), True
    return Reason(EXAMPLES, f"{why} Examples show the form; keep some aside to test with.",
                  ("M8", "M3")), True


def _retrieving(case: Situation) -> Tried:
    if case.facts == "none":
        return Reason(RETRIEVAL, "There are no facts to look up.", ("M8",)), False
    why = ("A page that changes is quoted at once; nothing is trained again."
           if case.facts == "changing" else
           "Examples teach hardly a fact; a page in the prompt brings any.")
    if case.documents == "none":
        why += " First collect the pages: there are none yet, and no route makes facts of nothing."
    return Reason(RETRIEVAL, why, ("M8", "M5")), True


def _continuing(case: Situation) -> Tried:
    if case.documents != "much":
        return Reason(CONTINUED, "It takes far more text than there is.", ("K9", "S1")), False
    if case.budget != "much":
        return Reason(CONTINUED, "It costs more than the budget.", ("K4",)), False
    if case.examples != "hundreds":
        return Reason(CONTINUED, "It leaves no assistant behind; to make one of it again takes "
                                 "hundreds of examples.", ("K10",)), False
    return Reason(CONTINUED, "Much text without labels teaches a field's language, and makes a "
                             "better start. Replay old text, or what was known is lost.",
                  ("K9", "K10")), True


def _tuning(case: Situation) -> Tried:
    if case.examples != "hundreds":
        return Reason(TUNING, "It takes more examples; so few are soon learnt by heart.",
                      ("S2", "S3")), False
    if case.budget == "none":
        return Reason(TUNING, "Training is not in the budget.", ("M6",)), False
    if case.facts == "none":
        return Reason(TUNING, "Examples teach a behaviour: a form, a tone, a task.",
                      ("K7", "M6")), True
    return Reason(TUNING, "Examples teach a behaviour, and hardly a fact. Put the retrieved page "
                          "in front of each: the behaviour to teach is to use it.",
                  ("M8", "M3")), True


def _distilling(case: Situation) -> Tried:
    if case.speed == "any":
        return Reason(DISTILLING, "It makes replies cheaper, and nobody asked for that.",
                      ("M8",)), False
    if case.budget == "none":
        return Reason(DISTILLING, "A student has to be trained. Try a smaller published model.",
                      ("K5",)), False
    return Reason(DISTILLING, "Let the best of the above answer many questions, and a small model "
                              "learn from its replies.", ("M8",)), True


def _running(case: Situation, build: tuple[Reason, ...]) -> Reason:
    if case.place == "own":
        return Reason(OWN, "Take open weights, with an adapter if they are tuned; data, weights "
                           "and training loop stay with you.", ("K8", "M7"))
    if any(reason.route in (CONTINUED, TUNING, DISTILLING) for reason in build):
        return Reason(BEDROCK, "Bring data in its format; a customization job does the rest.",
                      ("K8", "D5"))
    return Reason(PUBLISHED, "Nothing is trained, so there is nothing to run.", ("K5",))
