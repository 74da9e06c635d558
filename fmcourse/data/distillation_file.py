"""Conversations as the file of prompts that Amazon Bedrock distils a model on.

There the teacher answers each prompt itself; an answer that stands in the file is taken for a good
example, beside those that the teacher makes. So the prompts alone are written unless answers are
asked for. What is written was checked as strictly as any file of records, against the limits of the
student that it is for: AWS would refuse it after the upload, minutes later.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from datasets import Dataset

from fmcourse import store
from fmcourse.data import formats
from fmcourse.data.chat import conversations_in
from fmcourse.data.format_files import check_file
from fmcourse.data.model_limits import limits
from fmcourse.data.prompt_records import DISTILLATION
from fmcourse.data.record_formats import in_blocks
from fmcourse.errors import DataError


def write_distillation(records: Dataset, path: Path | str, *, answers: bool = False,
                       model: str = "nova-distillation") -> Path:
    """Write conversations as Bedrock's records for distillation, all of them or none.

    Args:
        records: with a column `messages`, as `data.task_records` and `train.teacher_answers` give.
        path: of the file, `.jsonl`; what is there is replaced.
        answers: keep what the assistant says last; by default the record ends with the prompt.
        model: whose limits hold: 'nova-distillation' or 'llama-distillation'.

    Returns:
        The path.

    Raises:
        DataError: no conversations; or a record, or the file, is not what AWS takes: the first
            ten faults are named.
    """
    path = Path(path).expanduser()
    lines = []
    for talk in conversations_in(records, "data.write_distillation"):
        said = [{"role": message["role"], "content": message["content"]} for message in talk]
        if said and said[-1]["role"] == "assistant" and not answers:
            said = said[:-1]
        lines.append(formats.as_line(in_blocks(said)) + "\n")
    content = "".join(lines)
    with tempfile.TemporaryDirectory(prefix="fmcourse-") as folder:
        draft = Path(folder) / path.name
        draft.write_text(content, encoding="utf-8", newline="\n")
        reading, faults = check_file(draft, DISTILLATION, limits(model))
    if reading.dropped or faults:
        raise DataError("\n".join(["Bedrock would not take these records; nothing was written:",
                                   *filter(None, [reading.complaint()]), *faults]),
                        where=path, fix="Correct what is named; the line is the record's number.")
    return store.atomic_write(path, content)
