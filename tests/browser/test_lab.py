"""The exam's boxes in JupyterLab, used as a learner uses them: by mouse and by keys."""

from __future__ import annotations

import re

import pytest

from fmcourse.exam import bank
from fmcourse.exam import item as items
from fmcourse.exam import mock as mocks
from fmcourse.exam.view import view

BANK = {item.id: item for item in bank.load()}
PATIENCE = 180_000  # milliseconds: a kernel that starts beside other work
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


@pytest.fixture
def open_lesson(browser, lab):
    """A function that opens the lesson in a new window, in a theme."""
    windows = []

    def opened(theme="light"):
        window = browser.new_context(viewport={"width": 1100, "height": 1000})
        windows.append(window)
        page = window.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(lab)
        ready(page)
        page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
                      THEMES[theme])
        return page
    yield opened
    for window in windows:
        window.close()


def ready(page):
    """Wait until the lesson's notebook is there, and its kernel idle."""
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
                           " === 'idle'")


def run_cell(page, number):
    """Run one code cell of the lesson as it stands; its box."""
    cell = page.locator(".jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    box = cell.locator(".fmcourse-exam")
    box.locator("button:visible").first.wait_for()
    return box


def press(box, name):
    box.get_by_role("button", name=name, exact=True).click()


def asked(box):
    """The item on show."""
    heading = box.get_by_text(re.compile(r"Question \d+, \d+ to go")).inner_text()
    return BANK[heading.split("· ")[1].strip()]


def wrong(item):
    """An answer that is not right, of the right form."""
    if item.type == items.CHOICE:
        return (next(name for name in item.options if name not in item.key),)
    if item.type == items.RESPONSE:
        others = [name for name in item.options if name not in item.key]
        return (others[0], *item.key[1:])
    return (*item.key[1:], item.key[0])


def answer(box, item, given):
    """Give an answer by the controls."""
    letters = [view(item, 1).letter(name) for name in given]
    places = ["ABCDEFGH".index(letter) for letter in letters]
    if item.type == items.CHOICE:
        box.get_by_role("radio").nth(places[0]).check()
    elif item.type == items.RESPONSE:
        for place in places:
            box.get_by_role("checkbox").nth(place).check()
    elif item.type == items.MATCHING:
        for number, place in enumerate(places):
            box.get_by_role("combobox").nth(number).select_option(index=place + 1)
    else:
        put_in_order(box, letters)


def put_in_order(box, letters):
    """Move the steps of an ordering up, one by one, each until it stands where it belongs."""
    steps = box.get_by_role("listbox")
    for wanted, letter in enumerate(letters):
        while (here := standing(steps).index(letter)) > wanted:
            steps.select_option(index=here)
            press(box, "Move up")
            there = steps.locator("option").nth(here - 1)
            there.filter(has_text=re.compile(rf"\.\s*{letter}\s")).wait_for(state="attached")


def standing(steps):
    """The letters of an ordering's steps, as they stand."""
    return [text.split(".", 1)[1].strip()[0] for text in steps.locator("option").all_inner_texts()]


@pytest.mark.parametrize("theme", THEMES)
def test_each_type_is_answered_right_and_wrong(open_lesson, serious, picture, theme):
    page = open_lesson(theme)
    box = run_cell(page, 0)
    seen = set()
    while len(seen) < 2 * len(items.TYPES):
        item = asked(box)
        right = (item.type, True) not in seen
        given = item.key if right else wrong(item)
        if (item.type, right) in seen:  # of this type both ways: by keys, to go on
            box.get_by_label("Answer").fill(view(item, 1).typed(given))
            box.get_by_label("Answer").press("Enter")
        else:
            answer(box, item, given)
            press(box, "Check")
        told = box.get_by_text(re.compile(r"✓ Right\.|✗ Wrong\."))
        told.wait_for()
        assert told.inner_text().startswith("✓ Right." if right else
                                            f"✗ Wrong. Right is {view(item, 1).typed(item.key)}.")
        first_line = item.why.replace("`", "").split(".")[0]
        assert first_line in " ".join(box.inner_text().split())
        if (item.type, right) not in seen:
            picture(page, f"{theme}-{item.type}-{'right' if right else 'wrong'}")
            assert serious(page, ".fmcourse-exam") == []
        seen.add((item.type, right))
        press(box, "Next")
        box.get_by_role("button", name="Check", exact=True).wait_for()


def test_a_mock_is_taken_left_and_resumed(open_lesson, serious, picture):
    page = open_lesson()
    box = run_cell(page, 1)
    press(box, "Begin")
    box.get_by_text("Question 1 of 65").wait_for()
    first = first_item(3)
    box.get_by_label("Answer").fill(view(first, 3).typed(first.key))
    press(box, "Next")
    box.get_by_text("Question 2 of 65").wait_for()
    press(box, "Flag")
    box.get_by_role("button", name="Unflag").wait_for()
    box.get_by_label("Go to").select_option(index=9)
    box.get_by_text("Question 10 of 65").wait_for()
    picture(page, "mock-10")
    assert serious(page, ".fmcourse-exam") == []
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")  # the kernel dies
    page.reload()
    picture(page, "mock-reloaded")
    ready(page)
    box = run_cell(page, 1)
    box.get_by_text(re.compile("1 of 65 answered, 1 flagged")).wait_for()
    press(box, "Go on")
    box.get_by_text("Question 10 of 65").wait_for()
    box.get_by_label("Go to").select_option(index=0)
    box.get_by_text("Question 1 of 65").wait_for()
    assert box.get_by_label("Answer").input_value() == view(first, 3).typed(first.key)
    press(box, "Hand in")
    press(box, "Yes, hand in")
    box.get_by_text("of the 50 questions that count").wait_for()
    assert box.locator("details").count() == 64
    picture(page, "mock-report")
    assert serious(page, ".fmcourse-exam") == []


def first_item(seed):
    """The first question of the mock with this seed."""
    from datetime import datetime

    return BANK[mocks.draw([*BANK.values()], seed, datetime.now()).items[0]]
