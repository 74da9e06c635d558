"""The exam's boxes in JupyterLab, used as a learner uses them: by mouse, by keys, in letters."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from fmcourse.exam import bank
from fmcourse.exam import item as items
from fmcourse.exam import mock as mocks
from fmcourse.exam.view import view

BANK = {item.id: item for item in bank.load()}
PATIENCE = 180_000  # milliseconds: a kernel that starts beside other work
SHORT = 12  # questions of the mock in the lesson
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
    """Give an answer by the controls and a mouse."""
    letters, places = shown_as(item, given, 1)
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


def shown_as(item, given, seed):
    """An answer's letters, and their places among the options."""
    letters = [view(item, seed).letter(name) for name in given]
    return letters, ["ABCDEFGH".index(letter) for letter in letters]


def by_keys(box, item, given, seed):
    """Give an answer by Tab, Space and arrows alone, from the line "Answer" back and forth.

    It ends in that line, which then says the same.
    """
    letters, places = shown_as(item, given, seed)
    tap, entry = box.page.keyboard.press, box.get_by_label("Answer", exact=True)
    *_, last = view(item, seed).options.values()
    box.get_by_text(last.replace("`", "")).last.wait_for(state="attached")
    entry.focus()
    tap("Shift+Tab")
    if item.type == items.CHOICE:
        radios = box.get_by_role("radio")
        tap("Space")
        for _ in item.options:
            if focused(radios) != places[0]:
                tap("ArrowDown")
    elif item.type == items.RESPONSE:
        for place in reversed(range(len(item.options))):
            assert focused(box.get_by_role("checkbox")) == place
            if place in places:
                tap("Space")
            tap("Shift+Tab")
    elif item.type == items.MATCHING:
        for number in reversed(range(len(places))):
            assert focused(box.get_by_role("combobox")) == number
            for _ in range(places[number] + 1):
                tap("ArrowDown")
            tap("Shift+Tab")
    else:
        tap("Shift+Tab")
        tap("Shift+Tab")
        order_by_keys(box, letters)
    box.page.wait_for_function("([line, text]) => line.value === text",
                               arg=[entry.element_handle(), view(item, seed).typed(given)])
    entry.focus()


def order_by_keys(box, letters):
    """Sort an ordering's steps, beginning in its list."""
    steps, tap = box.get_by_role("listbox"), box.page.keyboard.press
    for wanted, letter in enumerate(letters):
        assert focused(steps) == 0
        here = standing(steps).index(letter)
        tap("Home")
        for _ in range(here):
            tap("ArrowDown")
        box.page.wait_for_timeout(500)  # as fingers do: a click overtakes choices that are queued
        tap("Tab")
        for there in reversed(range(wanted, here)):
            tap("Space")
            moved(steps, letter, there)
        tap("Shift+Tab")


def focused(controls):
    """Which of the controls has the keyboard; -1 if none has."""
    return controls.evaluate_all("all => all.indexOf(document.activeElement)")


def moved(steps, letter, there):
    """Wait until a step stands in its new place."""
    steps.locator("option").nth(there).filter(
        has_text=re.compile(rf"\.\s*{letter}\s")).wait_for(state="attached")


def put_in_order(box, letters):
    """Move the steps of an ordering up, one by one, each until it stands where it belongs."""
    steps = box.get_by_role("listbox")
    for wanted, letter in enumerate(letters):
        while (here := standing(steps).index(letter)) > wanted:
            steps.select_option(index=here)
            press(box, "Move up")
            moved(steps, letter, here - 1)


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
        if (item.type, right) in seen:  # of this type both ways: in letters, to go on
            box.get_by_label("Answer", exact=True).fill(view(item, 1).typed(given))
            box.get_by_label("Answer", exact=True).press("Enter")
        elif right:
            by_keys(box, item, given, 1)
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
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


def test_keys_pressed_in_a_box_do_nothing_to_the_notebook(open_lesson):
    page = open_lesson()
    box = run_cell(page, 0)
    cells = page.locator(".jp-Cell").count()
    box.get_by_label("Answer", exact=True).focus()
    page.keyboard.press("Shift+Tab")
    for key in ("ArrowDown", "ArrowUp", "a", "b", "x", "v", "d", "d", "m", "1", "Shift+Enter"):
        page.keyboard.press(key)  # each does something to a cell elsewhere
        assert box.evaluate("box => box.contains(document.activeElement)")
    page.keyboard.press("Control+s")  # saved as ever
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    assert page.locator(".jp-Cell").count() == cells
    assert page.locator(".jp-CodeCell").count() == cells


def test_a_lesson_that_is_saved_and_opened_again_shows_its_boxes(open_lesson):
    page = open_lesson()
    stem = asked(run_cell(page, 0)).stem.split("\n")[0].replace("`", "")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
    page.reload()
    ready(page)
    page.locator(".fmcourse-exam").get_by_text(stem).wait_for()
    told = page.locator(".jp-CodeCell").first.inner_text()
    assert stem in told
    assert "model not found" not in told


@pytest.mark.parametrize("theme", THEMES)
def test_a_short_mock_is_taken_whole_left_and_resumed(open_lesson, serious, picture, theme):
    page = open_lesson(theme)
    box = run_cell(page, 1)
    press(box, "Begin")
    asked = [BANK[name] for name in
             mocks.draw([*BANK.values()], 3, datetime.now(), SHORT).items]
    seen = set()
    for item in asked[:5]:
        answered(box, asked, item, seen)
    press(box, "Flag")
    box.get_by_role("button", name="Unflag").wait_for()
    box.get_by_label("Go to").select_option(index=9)
    box.get_by_text(f"Question 10 of {SHORT}").wait_for()
    picture(page, f"{theme}-mock-10")
    assert serious(page, ".fmcourse-exam") == []
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")  # the kernel dies
    page.reload()
    ready(page)
    box = run_cell(page, 1)
    box.get_by_text(re.compile(f"5 of {SHORT} answered, 1 flagged")).wait_for()
    press(box, "Go on")
    box.get_by_text(f"Question 10 of {SHORT}").wait_for()
    box.get_by_label("Go to").select_option(index=0)
    box.get_by_text(f"Question 1 of {SHORT}").wait_for()
    entry = box.get_by_label("Answer", exact=True)
    assert entry.input_value() == view(asked[0], 3).typed(asked[0].key)
    box.get_by_label("Go to").select_option(index=5)
    for item in asked[5:]:
        answered(box, asked, item, seen)
    assert seen == set(items.TYPES)
    press(box, "Hand in")
    box.get_by_text("Without an answer: none. Flagged: 6.").wait_for()
    press(box, "Yes, hand in")
    box.get_by_text("9 of the 9 questions that count: 100% right").wait_for()
    assert box.locator("details").count() == 0
    picture(page, f"{theme}-mock-report")
    assert serious(page, ".fmcourse-exam") == []


def answered(box, asked, item, seen):
    """Answer a question of a mock rightly and go on: each type once by keys, then by letters."""
    box.get_by_text(f"Question {asked.index(item) + 1} of {SHORT}").wait_for()
    entry = box.get_by_label("Answer", exact=True)
    if item.type in seen:
        entry.fill(view(item, 3).typed(item.key))
        entry.press("Enter")
    else:
        by_keys(box, item, item.key, 3)
        box.page.keyboard.press("Tab")  # past "Back"
        box.page.keyboard.press("Tab")
        box.page.keyboard.press("Enter")
    seen.add(item.type)
    if item is not asked[-1]:
        box.get_by_text(f"Question {asked.index(item) + 2} of {SHORT}").wait_for()
