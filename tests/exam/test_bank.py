"""The bank that is shipped is whole, and its words about lessons are true."""

from fmcourse.exam import bank
from fmcourse.exam.item import TYPES


def test_the_bank_is_whole():
    items = bank.load()
    bank.check_places(items)
    assert {item.type for item in items} == set(TYPES)
