"""One item of the exam: what is asked, what is right, and why everything else is not.

The four types are those of the real exam. An answer is a tuple of ids whatever the type, so that
one grader, one file of answers and every front end speak of the same thing:

- multiple choice and multiple response: the ids of the options chosen, in any order;
- ordering: all ids, first step first;
- matching: for each prompt, in the order of `prompts`, the id of the option it was given.

Ids (`a`, `b` …) never reach a learner: front ends shuffle, and letter what they show themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

CHOICE, RESPONSE = "multiple_choice", "multiple_response"
ORDERING, MATCHING = "ordering", "matching"
TYPES = (CHOICE, RESPONSE, ORDERING, MATCHING)
TASKS = {
    "3.1": "Design considerations for applications that use foundation models",
    "3.2": "Effective prompt engineering",
    "3.3": "Training and fine-tuning of foundation models",
    "3.4": "Evaluation of foundation models",
    "4.1": "Development of AI systems that are responsible",
    "4.2": "Transparent and explainable models",
    "5.1": "Methods to secure AI systems",
    "5.2": "Governance and compliance regulations for AI systems",
}

Answer = tuple[str, ...]
BEYOND = "beyond the exam"


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and why it is wrong.

    Attributes:
        answer: one option for a choice, a whole order for an ordering, and a prompt with the
            option it is wrongly given for a matching.
        why: in a sentence or two.
    """

    answer: Answer
    why: str


@dataclass(frozen=True)
class Cell:
    """Where the course shows it: a lesson's number and the heading of its section."""

    lesson: str
    heading: str

    def __str__(self) -> str:
        return f"lesson {self.lesson}, “{self.heading}”"


@dataclass(frozen=True)
class Item:
    """An item of the bank, already checked.

    Attributes:
        id: the first claim and a number, for example 'K1-02'; never given to another item.
        task: of the exam guide, one of `TASKS`.
        claims: of the syllabus; the first is the main one, and names the file.
        type: one of `TYPES`.
        difficulty: 1 recall, 2 apply, 3 weigh one thing against another.
        beyond: it goes beyond what the exam asks, for those who build; calculations, say, or the
            inside of an algorithm.
        stem: the question; ordering and matching say what is to be ordered or matched.
        options: id → text.
        prompts: id → text, for matching only.
        key: the right answer.
        why: why it is right.
        wrong: each distractor, or the usual wrong orders and matches.
        sources: web addresses of what it rests on.
        verified: when somebody last held it against them.
        constraint: the words of the stem's last sentence that decide, where it is a scenario.
        exam_says, today: both, where the wording of the exam, or of notes made for it, is older
            than the service; `today` names its month.
        shown: where the course shows it; None while no lesson does.
    """

    id: str
    task: str
    claims: tuple[str, ...]
    type: str
    difficulty: int
    stem: str
    options: Mapping[str, str]
    key: Answer
    why: str
    wrong: tuple[Mistake, ...]
    sources: tuple[str, ...]
    verified: date
    prompts: Mapping[str, str]
    constraint: str | None = None
    exam_says: str | None = None
    today: str | None = None
    shown: Cell | None = None
    beyond: bool = False

    @property
    def scenario(self) -> bool:
        """Whether a constraint in the last sentence decides."""
        return self.constraint is not None

    @property
    def claim(self) -> str:
        """The main claim."""
        return self.claims[0]

    @property
    def label(self) -> str:
        """Its id, and whether it goes beyond the exam, as front ends say it."""
        return f"{self.id} · {BEYOND}" if self.beyond else self.id
