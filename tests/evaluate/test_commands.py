"""Grades of replies: what each measure means, and that real commands agree with themselves."""

import random

import pytest

from fmcourse import data
from fmcourse.errors import DataError
from fmcourse.evaluate import Grade, grade_command, grade_commands, wilson

STOP = "aws ec2 stop-instances --instance-ids i-1 --hibernate"


@pytest.mark.parametrize(("reply", "grade"), [
    (STOP, Grade(True, True, True, True, True)),
    ("```bash\naws ec2 stop-instances --hibernate \\\n  --instance-ids 'i-1'\n```\n",
     Grade(True, True, True, True, True)),
    ("aws ec2 stop-instances --instance-ids i-2",
     Grade(True, True, True, True, False, "Other options or values.")),
    ("aws ec2 start-instances --instance-ids i-1",
     Grade(True, False, True, True, False, "It calls ec2 start-instances.")),
    ("aws ec2 stop-instances",
     Grade(True, True, reason="the following arguments are required: --instance-ids")),
    ("aws ec2 stop-instances --instance-id i-1 --soon",
     Grade(True, True, reason="Unknown options: --soon")),
    ("aws ec2 stop-instance", Grade(True, reason="argument operation: Invalid choice")),
    ("aws ec2 stop-instances --instance-ids 'i-1", Grade(
        reason="It has a quotation mark without its pair.")),
    (f"{STOP} && rm -rf /", Grade(reason="It has a shell operator (&).")),
    (f"Sure: {STOP}", Grade(reason="It does not begin with aws.")),
    (f"{STOP}\n{STOP}", Grade(reason="It has several lines.")),
    ("", Grade(reason="It does not begin with aws.")),
    ("a" * 100_000, Grade(reason="It has 100,000 characters; 8,000 are enough.")),
    (f"{STOP}\x00", Grade(reason="It has control characters.")),
    ("aws ✓", Grade(reason="argument command: Invalid choice")),
])
def test_grades(reply, grade):
    assert grade_command(reply, STOP) == grade


def test_invalid_parameters_are_parsed_and_say_why():
    found = grade_command("aws ec2 stop-instances --instance-ids '[5]'", STOP)
    assert (found.parsed, found.operation, found.valid, found.exact) == (True, True, False, False)
    assert "InstanceIds" in found.reason


def test_rates_and_intervals():
    table = grade_commands([STOP, "no", "aws s3 ls", f"{STOP} --force"], [STOP] * 4)
    assert table["measure"].tolist() == ["service", "operation", "parsed", "valid",
                                           "usable", "exact"]
    assert table["rate"].tolist() == [0.5, 0.5, 0.75, 0.75, 0.5, 0.25]
    assert (table["low"][2], table["high"][2]) == wilson(3, 4)
    assert table["n"].tolist() == [4] * 6


def test_mistakes_of_the_caller_are_errors():
    with pytest.raises(DataError, match="expected command is none"):
        grade_command(STOP, "nothing")
    with pytest.raises(DataError, match="1 replies for 2"):
        grade_commands([STOP], [STOP, STOP])
    with pytest.raises(DataError, match="0 replies"):
        grade_commands([], [])


@pytest.mark.data
def test_real_commands_agree_with_themselves():
    pairs = data.commands()["train"]["completion"][:]
    gold = random.Random(0).sample(pairs, 300)
    rates = grade_commands(gold, gold).set_index("measure")["rate"]
    assert rates[["parsed", "operation"]].tolist() == [1, 1]
    assert rates["valid"] > 0.97
    assert rates["exact"] == 1
