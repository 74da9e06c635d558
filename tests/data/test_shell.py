"""Words of a command line against two references, and everything a shell would act on refused."""

import shlex
import string
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmcourse.data.shell import LONGEST, unwrapped, words
from fmcourse.errors import DataError

QUOTED = [
    "aws 'a b' c", 'aws "a b"c', r"aws a\ b", r'aws "a \"b\" c"', r'aws "a\\b" "\c"',
    r"aws '\n'", "aws a'b'\"c\"", "aws ''", 'aws "" x', "aws a\\\nb", "aws a \\\n  b", "aws #no",
    'aws "$" 5$ a$=b', r'aws "\$LATEST" \$LATEST \;', "aws é 'ü'", "aws '{\"a\": [1]}'",
    'aws "two\nlines"', 'aws "a\\\nb"', "aws --a=b 'c'=d",
]


@pytest.mark.parametrize("line", QUOTED)
def test_words_are_those_of_a_real_shell(line):
    done = subprocess.run(["sh", "-c", f"set -f; printf '%s\\0' {line.removeprefix('aws ')}"],
                          capture_output=True, text=True, check=True)
    if line != "aws #no":  # at the start of a word the shell sees a comment, we a word
        assert words(line)[1:] == done.stdout.split("\0")[:-1]


@settings(deadline=None)
@given(st.lists(st.text(string.printable + "é✓", max_size=12).filter(
    lambda text: not any(mark in text for mark in "\x0b\x0c\r")), min_size=1))
def test_quoted_words_come_back(wanted):
    assert words(shlex.join(wanted)) == wanted


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_words_or_refused(line):
    try:
        found = words(line)
    except DataError:
        return
    assert words(shlex.join(found)) == found


@pytest.mark.parametrize("mark", [";", "&&", "|", ">", "<", "<<EOF", "&", "\n", "(", ")", "`id`",
                                  "$(id)", "$HOME", "${HOME}", "$((1))", "'", '"', "\\", "$'a'",
                                  '"`id`"', '"$(id)"', '"$HOME"', "\x00", "\x1b", "\r"])
def test_what_a_shell_would_act_on_is_refused(mark):
    with pytest.raises(DataError, match="It has"):
        words(f"aws s3 ls {mark}")
    if mark not in ("'", '"', "\\", "\x00", "\x1b", "\r"):
        assert words(f"aws '{mark.replace(chr(39), '')}'")


def test_long_lines_are_refused():
    assert len(words("a " * (LONGEST // 2))) == LONGEST // 2
    with pytest.raises(DataError, match="100,000 characters"):
        words("a" * 100_000)


@pytest.mark.parametrize(("reply", "inside"), [
    ("aws s3 ls\n", "aws s3 ls"), ("`aws s3 ls`", "aws s3 ls"),
    ("```\naws s3 ls\n```", "aws s3 ls"),
    ("```bash\naws s3 ls \\\n --x\n```\n", "aws s3 ls \\\n --x"),
    ("Try `aws s3 ls`", "Try `aws s3 ls`"), ("```aws s3 ls```", "```aws s3 ls```"),
    ("`a` `b`", "`a` `b`"),
])
def test_one_fence_around_all_of_it_is_taken_off(reply, inside):
    assert unwrapped(reply) == inside
