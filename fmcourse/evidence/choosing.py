"""Which route to a model that fits: six questions, what to build in which order, and why.

A small decision function, so that it can be read, disagreed with and drawn as a chart. Every reason
names what it rests on, measure by measure, so that advice can be checked and does not have to be
believed; it says no more than those measures show. Trade-off: coarse answers make coarse advice;
the numbers of a real project (prices, traffic, what a mistake costs) come after it. What AWS offers
is as its pages said in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from fmcourse.errors import CourseError, meant
from fmcourse.evidence import ledger

PROMPT, EXAMPLES, RETRIEVAL = "a prompt", "a prompt with examples", "retrieval"
CONTINUED, TUNING, DISTILLING = "continued pre-training", "fine-tuning", "distillation"
SCRATCH, BEDROCK, OWN = "pre-training from scratch", "Amazon Bedrock", "machines of your own"
NOVA = "Amazon Nova on SageMaker AI"
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


class Shown(NamedTuple):
    """One measure of a claim: its metric, and the arms that it compares.

    Verdict and effect are those of the ledger; see `measured`.
    """

    claim: str
    metric: str
    treatment: str
    control: str


class Reason(NamedTuple):
    """Why to take a route, or not; and the measures that it rests on."""

    route: str
    why: str
    rests_on: tuple[Shown, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims that they are of, each once."""
        return tuple(dict.fromkeys(one.claim for one in self.rests_on))


def measured(one: Shown) -> dict[str, Any] | None:
    """What the ledger says of a measure; None where it was not run."""
    if not (ledger.FOLDER / f"{one.claim}.json").exists():
        return None
    return next((found for found in ledger.read(one.claim)["measures"] if one == Shown(
        one.claim, found["metric"], found["treatment"], found["control"])), None)


FORM = Shown("M8", "replied with a number alone", "fine-tuning", "a prompt")
TODAY = Shown("M8", "right today: what changed", "retrieval and fine-tuning", "fine-tuning")
OLD_PAGE = Shown("M8", "right today: what changed", "retrieval and fine-tuning",
                 "retrieval and fine-tuning, pages of 2022")
WRONG_PAGE = Shown("M8", "right today", "retrieval and fine-tuning",
                   "retrieval and fine-tuning, wrong pages")
CHEAPER = Shown("M8", "operations a reply", "distillation of that", "retrieval and fine-tuning")
LOOKED_UP = Shown("M5", "right about what is new", "2022 and retrieval", "release of 2022")
MANUAL = Shown("M3", "unseen operations: right operation, valid", "tuned with the manual",
               "manual and similar examples")
LESS_TEXT = Shown("S1", "characters of text", "fine-tuning", "pre-training")
LESS_WORK = Shown("K4", "training FLOPs", "pre-training the base", "fine-tuning on 200 examples")
MORE_COMPUTE = Shown("K4", "held-out bits per byte", "most compute", "least compute")
NO_ASSISTANT = Shown("K10", "instructions followed", "domain base", "SmolLM2-Instruct")
BETTER_START = Shown("K10", "tuned: bits per byte of answers", "domain base", "general text")
LANGUAGE = Shown("K9", "held-out domain bits per byte", "replay 0%", "general text")
REPLAY = Shown("K9", "held-out general bits per byte", "replay 25%", "replay 0%")
BY_HEART = Shown("S2", "training replies known by heart", "fewest, as many steps",
                 "most, as many steps")
ADAPTERS = Shown("M6", "peak memory, MB", "lora", "full")
STYLE = Shown("K7", "house style: all rules, content kept", "in house style", "before")
FORGOTTEN = Shown("K7", "other tasks done", "before", "in house style")
STUDENT = Shown("K12", "held-out prompts answered right", "the teacher's answers", "the few labels")
PUBLISHED_BASE = Shown("K5", "bits per byte, encyclopaedia", "SmolLM2", "base")
KNOWS_MORE = Shown("K5", "facts right", "SmolLM2", "base")
CHECKED_JOBS = Shown("K8", "share accepted", "as the course makes them", "one thing broken")
SETTINGS = Shown("K8", "settings of the recipe that a job takes", "own control (SageMaker AI)",
                 "managed (Bedrock)")
CHECKED_RECORDS = Shown("D5", "faulty records accepted", "checked", "parsed as JSON")
AFFORDABLE = Shown("M7", "gigabytes to tune 7 billion weights", "qlora", "full")


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
                     (MORE_COMPUTE, PUBLISHED_BASE))
    return Advice((*build, _running(case, build)), (*leave, scratch))


Tried = tuple[Reason, bool]  # and whether the route fits


def _prompting(case: Situation) -> Tried:
    why = "It costs nothing to try, and whatever comes later has to beat it."
    if case.examples == "none":
        return Reason(PROMPT, f"{why} Write down twenty questions to test with.", (FORM,)), True
    return Reason(EXAMPLES, f"{why} Whether examples in the prompt help is yours to measure: with "
                            "small models the course has not shown it. Keep some aside to test "
                            "with.", (FORM,)), True


def _retrieving(case: Situation) -> Tried:
    if case.facts == "none":
        return Reason(RETRIEVAL, "There are no facts to look up.", (WRONG_PAGE,)), False
    why, rests_on = ("A page that changes is quoted at once; nothing is trained again.",
                     (OLD_PAGE, LOOKED_UP))
    if case.facts == "fixed":
        why, rests_on = ("A page in the prompt brings a fact that the weights do not hold.",
                         (WRONG_PAGE, LOOKED_UP))
    if case.documents == "none":
        why += " First collect the pages: there are none yet, and no route makes facts of nothing."
    return Reason(RETRIEVAL, why, rests_on), True


def _continuing(case: Situation) -> Tried:
    if case.documents != "much":
        return Reason(CONTINUED, "It takes far more text than there is: for Nova, AWS speaks of "
                                 "tens of billions of tokens. Tuning makes do with less.",
                      (LESS_TEXT,)), False
    if case.budget != "much":
        return Reason(CONTINUED, "It costs more than the budget: it is pre-training gone on with, "
                                 "and no tuning.", (LESS_WORK,)), False
    if case.examples != "hundreds":
        return Reason(CONTINUED, "It leaves no assistant behind; to make one of it takes examples "
                                 "that are not there.", (NO_ASSISTANT,)), False
    return Reason(CONTINUED, "Much text without labels teaches a field's language, and makes a "
                             "better start. Replay old text, or what was known is lost.",
                  (LANGUAGE, BETTER_START, REPLAY)), True


def _tuning(case: Situation) -> Tried:
    if case.examples != "hundreds":
        return Reason(TUNING, "It takes more examples; so few are soon learnt by heart.",
                      (BY_HEART,)), False
    if case.budget == "none":
        return Reason(TUNING, "Training is not in the budget: adapters make it cheaper, and not "
                              "free.", (ADAPTERS,)), False
    if case.facts == "none":
        return Reason(TUNING, "Examples teach a behaviour: a form, a tone, a task. Other tasks "
                              "suffer: measure those, too.", (STYLE, FORM, FORGOTTEN)), True
    return Reason(TUNING, "Examples teach a behaviour. Put the retrieved page in front of each: "
                          "the behaviour to teach is to use it.", (TODAY, MANUAL)), True


def _distilling(case: Situation) -> Tried:
    if case.speed == "any":
        return Reason(DISTILLING, "It makes replies cheaper, and nobody asked for that.",
                      (CHEAPER,)), False
    if case.budget == "none":
        return Reason(DISTILLING, "A student has to be trained. Try a smaller published model.",
                      (PUBLISHED_BASE,)), False
    return Reason(DISTILLING, "Let the best of the above answer many questions, and a small model "
                              "learn from its replies.", (STUDENT, CHEAPER)), True


def _running(case: Situation, build: tuple[Reason, ...]) -> Reason:
    """Where it is trained and answers; what AWS offers, by facts of November 2026."""
    trained = {reason.route for reason in build} & {CONTINUED, TUNING, DISTILLING}
    if case.place == "own":
        return Reason(OWN, "Take open weights, with an adapter if they are tuned; data, weights "
                           "and training loop stay with you.", (SETTINGS, AFFORDABLE))
    if CONTINUED in trained:
        return Reason(NOVA, "Bedrock no longer continues pre-training (its customization methods "
                            "of November 2026 are fine-tuning, reinforcement and distillation). "
                            "Nova on SageMaker AI does: records of {\"text\": …} alone, and "
                            "instruction tuning after it.", (CHECKED_RECORDS, SETTINGS))
    if trained:
        return Reason(BEDROCK, "Bring data in its format; a customization job does the rest.",
                      (CHECKED_JOBS, CHECKED_RECORDS))
    return Reason(PUBLISHED, "Nothing is trained, so there is nothing to run.", (KNOWS_MORE,))
