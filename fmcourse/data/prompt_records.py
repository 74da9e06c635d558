"""Records that end with a prompt: for reinforcement fine-tuning and for distillation on Bedrock.

There the answer is what the job makes: tried and graded against a reference answer, or written by
the teacher. That an answer *may* stand in a distillation record, and *must not* in the messages of
a reinforcement record, where the model would be shown what it is to find, is what tells them from
records of supervised fine-tuning.
"""

from __future__ import annotations

from typing import Any

from fmcourse.data.record_checks import (
    Message,
    RecordError,
    check_keys,
    check_string,
    check_value,
    quoted,
)
from fmcourse.data.record_formats import (
    BEDROCK_DATA,
    Format,
    check_one_block,
    in_blocks,
    with_blocks,
)
from fmcourse.data.record_turns import ROLES, spoken


def _reinforcement(record: dict[str, Any]) -> list[Message]:
    """The prompt and, where the reference answer is a text, that as the assistant's answer.

    A reference answer can be any JSON but null, and further keys are passed to the grader.
    """
    check_keys(record, (), ("messages", "reference_answer"), None)
    prompt = spoken(record["messages"], ("messages",), ROLES, last=("user",))
    check_value({key: value for key, value in record.items() if key != "messages"}, ())
    answer = record["reference_answer"]
    if answer is None:
        raise RecordError("There is no reference answer to grade by.", ("reference_answer",),
                          "Write the expected answer, or what the grader is to look for.")
    if not isinstance(answer, str):
        return prompt
    return [*prompt, {"role": "assistant", "content": check_string(answer, ("reference_answer",))}]


def _as_reinforcement(messages: list[Message]) -> dict[str, Any]:
    if messages[-1]["role"] != "assistant":
        raise RecordError("There is no answer here that could be the reference.", (),
                          "Add the assistant's answer.")
    return {"messages": messages[:-1], "reference_answer": messages[-1]["content"]}


def _check_only_texts(record: dict[str, Any]) -> None:
    for key in record:
        if key not in ("messages", "reference_answer"):
            raise RecordError(f"The key {quoted(key)}, for the grader, would be lost.", (key,),
                              "Remove it, or keep the record as it is.", at_key=True)
    if not isinstance(record["reference_answer"], str):
        raise RecordError("This reference answer is no text: its structure would be lost.",
                          ("reference_answer",), "Write it as one string.")


def _distillation(record: dict[str, Any]) -> list[Message]:
    """A conversation of one block of text a message, ending with either role."""
    messages = with_blocks(record, ("user", "assistant"))
    check_one_block(record)
    return messages


REINFORCEMENT = Format(
    "bedrock-rft", "Bedrock reinforcement fine-tuning", "conversation",
    (f"{BEDROCK_DATA}rft-prepare-data.html", f"{BEDROCK_DATA}rft-prepare-data-open-weight.html"),
    _reinforcement, _as_reinforcement, _check_only_texts)
DISTILLATION = Format(
    "bedrock-distillation", "Bedrock distillation", "conversation",
    (f"{BEDROCK_DATA}distillation-data-prep-option-1.html",
     "https://docs.aws.amazon.com/nova/latest/userguide/custom-distill-prepare.html",
     "https://github.com/aws-samples/amazon-bedrock-workshop/blob/main/03_Model_customization/"
     "model_distillation/dataset-validation/schema.py"),
    _distillation, in_blocks)
