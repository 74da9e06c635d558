"""Grouping: shared keys join, order does not matter, repeats are found and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from fmcourse.sources.group import connected, repeats, shingles

KEYS = st.lists(st.sets(st.integers(0, 12), max_size=4), max_size=25)


@given(KEYS)
def test_items_sharing_a_key_are_together_and_named_by_the_first(keys):
    numbers = connected(keys)
    for i, a in enumerate(keys):
        assert numbers[numbers[i]] == numbers[i] <= i
        for j, b in enumerate(keys):
            if a & b:
                assert numbers[i] == numbers[j]


@given(KEYS, st.randoms())
def test_the_partition_does_not_depend_on_order(keys, random):
    order = list(range(len(keys)))
    random.shuffle(order)
    straight, shuffled = connected(keys), connected([keys[i] for i in order])
    position = {item: place for place, item in enumerate(order)}
    together = {(i, j) for i in order for j in order if straight[i] == straight[j]}
    assert together == {(i, j) for i in order for j in order
                        if shuffled[position[i]] == shuffled[position[j]]}


def test_unconnected_items_stay_apart():
    assert connected([["a"], ["b"], ["c"]]) == [0, 1, 2]


def test_repeats_drops_the_contained_text_and_keeps_the_longer():
    whole = "one two three four five six seven eight nine ten eleven twelve"
    part = "two three four five six seven eight nine ten"
    other = "a quite different text about the weather in the hills of the far north"
    assert repeats([part, whole, other], [0, 0, 0]) == [True, False, False]
    assert repeats([part, whole, other], [0, 1, 0]) == [False, False, False]


def test_shingles_need_enough_words():
    assert shingles("only three words", 4) == set()
