"""The exam in a notebook: every type by control and by letters, kept, resumed, and said plainly."""

import pytest
from exam.items import TYPES, read
from exam.test_mock import BANK, KNOWN, NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from fmcourse import progress
from fmcourse.errors import ExamError
from fmcourse.exam import bank as banks
from fmcourse.exam import markup, review, room
from fmcourse.exam.candidate import Candidate
from fmcourse.exam.check_box import varied
from fmcourse.exam.fields import field
from fmcourse.exam.grade import grade
from fmcourse.exam.mock import draw
from fmcourse.exam.mock_box import PATIENCE, MockBox
from fmcourse.exam.practice_box import PracticeBox
from fmcourse.exam.report import by_claim
from fmcourse.exam.sheet import Sheet
from fmcourse.exam.view import view
from fmcourse.show.look import luminance

WRONG = {"multiple_choice": ("a",), "multiple_response": ("a", "b"),
         "ordering": ("a", "c", "b"), "matching": ("b", "a", "d")}

few = settings(max_examples=40, deadline=None,
               suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path))


def asking(*items, keep=review.record, rated=False):
    return PracticeBox(lambda results: items[len(results):], 1, keep, rated)


def use(box, answer):
    """Give an answer by the controls, as a person at a mouse would."""
    shown, controls = box.view, box.field
    letters = [shown.letter(name) for name in answer]
    kind = shown.item.type
    if kind == "multiple_choice":
        controls.radio.value = letters[0]
    elif kind == "multiple_response":
        for letter in letters:
            controls.boxes[letter].value = True
    elif kind == "matching":
        for menu, letter in zip(controls.menus.values(), letters, strict=True):
            menu.value = letter
    else:
        up = controls.buttons[0]
        for place, letter in enumerate(letters):
            controls.steps.value = letter
            while controls.order.index(letter) > place:
                up.click()
        if not controls.moved:
            up.click()  # at the top already: nothing moves, and the order is taken as given


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("kind", TYPES)
def test_each_type_by_its_controls(kind, right):
    item = read(kind)
    box = asking(item, read("multiple_choice", id="K1-09", stem="Next?"))
    use(box, item.key if right else WRONG[kind])
    assert box.entry.value
    box.main.click()
    assert box.given.right is right
    after = box.below.value
    assert ("✓ Right." if right else "✗ Wrong. Right is") in after
    assert item.why in after
    for mistake in item.wrong:
        assert mistake.why in after
    assert all(control.disabled for control in box.field.inputs)
    assert review.outcomes([item]) == [(item, right)]
    assert "It comes back" in after
    assert box.main.description == "Next"
    box.main.click()
    assert box.view.item.id == "K1-09"
    assert box.below.value == "<div aria-live='polite'></div>"


@few
@given(st.sampled_from(banks.load()), st.integers(0, 10**6))
def test_what_is_typed_the_controls_show_and_what_they_show_is_typed(item, seed):
    shown = view(item, seed)
    box = PracticeBox(lambda results: [item][len(results):], seed, None)
    box.entry.value = shown.typed(item.key)
    assert set(shown.read(box.field.typed)) == set(item.key)
    assert grade(item, shown.read(box.field.typed)).right
    box.entry.value = ""
    assert box.field.typed == ""


def test_enter_checks_and_goes_on():
    box = asking(read("multiple_choice"), read("ordering"))
    box.entry.value = box.view.typed(("b",)).lower()
    box.entry._handle_custom_msg({"event": "submit"}, [])
    assert box.given.right
    box.entry._handle_custom_msg({"event": "submit"}, [])
    assert box.view.item.type == "ordering"


@pytest.mark.parametrize(("kind", "typed", "said"), [
    ("multiple_choice", "", "letters"), ("multiple_choice", "x", "no X"),
    ("multiple_response", "A", "1 given, 2 asked"), ("ordering", "", "letters"),
    ("matching", "1A", "one letter")])
def test_what_is_no_answer_is_told_and_nothing_is_kept(kind, typed, said):
    item = read(kind)
    box = asking(item)
    box.entry.value = typed
    box.main.click()
    assert "role='alert'" in box.below.value
    assert said in box.below.value
    assert box.given is None
    assert review.outcomes([item]) == []
    with pytest.raises(ExamError, match="no answer yet"):
        box.next()
    box.answer(box.view.typed(item.key))
    assert "role='alert'" not in box.below.value
    with pytest.raises(ExamError, match="has its answer"):
        box.answer("A")


def test_exam_says_today_and_the_lesson_are_shown():
    item = read(exam_says="Titan.", today="Nova (May 2026).", shown="01 The raw idea")
    box = asking(item)
    box.answer("A")
    after = box.below.value
    assert "<b>The exam says:</b> Titan." in after
    assert "<b>Today:</b> Nova" in after
    assert "href='01_pretraining.ipynb#The-raw-idea'" in after
    assert "https://example.org/page" in after


def test_a_lesson_that_is_not_at_hand_is_named_without_a_link(monkeypatch):
    monkeypatch.setattr(markup, "_lessons", dict)
    shown = view(read(shown="01 The raw idea"), 1)
    told = markup.explained(grade(shown.item, ("a",)), shown)
    assert "See lesson 01, “The raw idea”." in told
    assert "ipynb" not in told


def test_a_review_asks_how_a_right_answer_felt():
    items = [read(id=f"K1-{n:02}", stem=f"Case {n}?") for n in range(3)]
    box = asking(*items, rated=True)
    assert [one.layout.display for one in box.felt] == ["none", "none"]
    box.answer(box.view.typed(("b",)))
    assert [one.layout.display for one in box.felt] == [None, None]
    assert review.outcomes(items) == []  # it waits for how it felt
    box.felt[1].click()
    box.answer(box.view.typed(("a",)))
    assert [one.layout.display for one in box.felt] == ["none", "none"]
    assert review.outcomes(items) == [(items[0], True), (items[1], False)]
    with progress.opened() as database:
        assert [row[0] for row in database.execute("select rating from exam_answer")] == [4, 1]


def test_an_item_that_comes_again_in_one_review_is_kept_again():
    item = read()
    box = asking(item, item, rated=True)
    for _ in range(2):
        box.answer(box.view.typed(item.key))
        box.next()
    assert len(box.results) == 2
    with progress.opened() as database:
        assert database.execute("select count(*) from exam_answer").fetchone() == (2,)


def test_practice_is_about_what_was_asked_for_and_goes_on_with_what_is_open():
    box = room.practice(["k9", "03"], 3, seed=1)
    assert all("K9" in item.claims or item.shown.lesson == "03" for item in box.waiting([]))
    first = box.view.item
    box.answer(box.view.typed(first.key))
    assert first not in room.practice(["K9", "03"], 3, seed=1).waiting([])
    assert len(room.practice("K9", 2).waiting([])) == 2
    with pytest.raises(ExamError, match="no item about 'Z9'"):
        room.practice("Z9")


def test_the_review_asks_what_is_due_and_then_says_so():
    box = room.review(new=1)
    item = box.view.item
    box.answer(box.view.typed(item.key))
    box.next("easy")
    assert box.done
    assert "1 of 1 right" in repr(box)
    assert box.main.disabled
    assert "Nothing is due now." in repr(room.review(new=0))


def test_a_simulated_candidate_is_called_one_and_nothing_is_kept():
    box = room.practice([], 20, seed=1)
    other = box.simulate(Candidate(seed=3, skill=0.5))
    for told in (repr(other), other._repr_html_(), other.shown.value):
        assert "by a SIMULATED candidate, not by a person" in told
    assert "SIMULATED" not in repr(box) + box._repr_html_()
    assert len(other.results) == 20
    assert other.results == box.simulate(Candidate(seed=3, skill=0.5)).results
    assert review.outcomes(banks.load()) == []


@few
@given(st.integers(0, 10**6))
def test_a_candidate_always_gives_an_answer_of_the_right_form(seed):
    for kind in TYPES:
        item = read(kind)
        grade(item, Candidate(seed, skill=0.3).answer(item))
        assert Candidate(seed, skill=1).answer(item) == item.key


def test_what_it_is_weak_at_it_only_guesses():
    bank = banks.load()
    weak = [item for item in bank if "G3" in item.claims]
    hits = [grade(item, Candidate(seed, 1, ["G3"]).answer(item)).right
            for item in weak for seed in range(40)]
    assert 0 < sum(hits) / len(hits) < 0.4
    assert all(grade(item, Candidate(0, 1, ["G3"]).answer(item)).right
               for item in bank if item not in weak)


@pytest.mark.parametrize("kind", TYPES)
def test_every_control_has_a_name_of_its_own(kind):
    item = read(kind)
    box = asking(item)
    names = [*(label for label, _ in box.field.inputs[0].options)] if kind == "multiple_choice" \
        else [one.description or one.tooltip for one in box.field.inputs]
    assert all(names)
    assert len(set(names)) == len(names)
    wanted = item.prompts or ({} if kind == "ordering" else item.options)
    assert all(any(text in name for name in names) for text in wanted.values())
    for one in (box.main, *box.felt):
        assert one.description
        assert one.tooltip
    assert box.entry.description == "Answer"
    assert "aria-live='polite'" in box.shown.value
    assert "aria-live='polite'" in box.below.value
    bundle = box._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    for text in item.options.values():
        assert text in bundle["text/html"]
        assert text in bundle["text/plain"]


def test_a_report_says_how_well_each_claim_is_shown():
    item = next(item for item in banks.load() if item.claim == "M3")
    told = str(markup.shares(by_claim([(item, True)]), "By claim"))
    assert f"[evidence: {banks.verdicts()['M3']}]" in " ".join(told.split())
    assert set(banks.verdicts().values()) <= {"shown", "not shown", "inconclusive",
                                              "no experiment yet"}


def test_in_a_notebook_the_text_is_returned_and_not_displayed_beside(monkeypatch):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert "Which number is prime?" in repr(asking(read()))


def test_what_an_item_says_is_escaped():
    box = asking(read(stem="Is `a < b` & <b>c</b>?"))
    assert "<code>a &lt; b</code> &amp; &lt;b&gt;c&lt;/b&gt;" in box.shown.value


@pytest.mark.parametrize("verdict", markup.COLOURS)
def test_colours_stand_out_in_light_and_dark(verdict):
    colour = markup.COLOURS[verdict]
    own = luminance([int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)])
    for page in (1.0, luminance([0x11 / 255] * 3)):
        assert (max(own, page) + 0.05) / (min(own, page) + 0.05) >= 3  # WCAG 2.1, 1.4.11
    assert markup.SIGNS[verdict] != ""  # and it is said without colour, too


def test_a_lessons_check_asks_the_same_few_questions_of_several_types():
    box = room.check("02")
    assert [item.id for item in box.items] == [item.id for item in room.check("02").items]
    assert all(item.shown.lesson == "02" for item in box.items)
    assert len({item.type for item in box.items}) == 3
    assert len({item.claim for item in box.items}) == 3
    first = box.items[0]
    box.answer(box.view.typed(first.key))
    assert review.outcomes(banks.load()) == [(first, True)]
    box.next()
    assert box.view.item is box.items[1]
    for lesson in ("00", "x"):
        with pytest.raises(ExamError, match="No item is shown"):
            room.check(lesson)


def test_where_nothing_runs_a_check_shows_all_its_questions_and_folds_the_answers():
    box = room.check("02")
    shown = HTMLParser(box._repr_html_())
    answers = shown.css("details")
    assert len(answers) == len(box.items)
    for item, answer in zip(box.items, answers, strict=True):
        told = answer.text().replace("\xa0", " ")
        assert f"Answer to {item.id}" in told
        assert f"{view(item, box.seed).typed(item.key)}. " in told
        assert item.why.replace("`", "") in told
        answer.decompose()
    left = shown.text()
    for item in box.items:
        assert item.stem.replace("`", "") in left
        assert item.why.replace("`", "") not in left
        assert item.stem.split()[0] in repr(box)
        assert item.why not in repr(box)


def test_a_choice_of_items_is_varied_and_steady():
    bank = banks.load()
    chosen = varied(bank, 4, 1)
    assert len({item.type for item in chosen}) == len({item.claim for item in chosen}) == 4
    assert varied(list(reversed(bank)), 4, 1) == chosen
    assert varied(bank[:2], 4, 1) == varied(bank[:2], 2, 1)


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def taking(clock, tmp_path):
    """A function that opens the mock as a fresh kernel would."""
    sheet = Sheet(tmp_path)

    def open_box():
        mock = sheet.load(BANK) or draw(BANK, 1, NOON)
        return MockBox(BANK, mock, sheet, clock)
    return open_box


def key_of(box):
    return box.view.typed(KNOWN[box.mock.current].key)


def test_nothing_runs_or_is_written_before_it_begins(taking):
    box = taking()
    assert "65 questions, of which 50 count, in 90 minutes" in repr(box)
    assert not box.ticker.playing
    assert not box.sheet.path.exists()
    assert box.entry.layout.display == "none"
    box.buttons["Next"].click()
    assert "clock stands" in box.below.value
    box.start.click()
    assert box.ticker.playing
    assert box.sheet.path.exists()
    assert "Question 1 of 65" in box.shown.value


def test_a_mock_goes_on_after_a_fresh_load_of_the_file(taking, clock):
    box = taking()
    box.begin()
    first = box.mock.current
    box.entry.value = key_of(box)
    clock.now = 30
    box.buttons["Next"].click()
    box.buttons["Flag"].click()
    assert box.buttons["Flag"].description == "Unflag"
    box.places.value = 9
    assert box.mock.place == 9
    again = taking()  # the kernel died, and nothing was said to it
    assert "1 of 65 answered, 1 flagged, 89:30 left" in repr(again)
    assert again.start.description == "Go on"
    again.begin()
    assert (again.mock.place, again.mock.spent) == (9, 30)
    again.go(1)
    assert again.entry.value == again.view.typed(KNOWN[first].key)
    assert again.field.typed == again.entry.value
    assert "answered" in again.shown.value
    again.clear()
    assert again.mock.answers == {}
    assert again.entry.value == ""
    assert again.places.options[1][0] == "2 open, flagged"


def test_what_is_no_answer_stays_on_show(taking):
    box = taking()
    box.begin()
    box.entry.value = "?"
    for name in ("Next", "Back", "Pause", "Hand in"):
        box.buttons[name].click()
        assert "role='alert'" in box.below.value
        assert (box.mock.place, box.running, box.entry.value) == (0, True, "?")
    box.places.value = 4
    assert box.places.value == box.mock.place == 0
    box.entry.value = ""
    with pytest.raises(ExamError, match="no question 66"):
        box.go(66)


def test_handing_in_is_asked_twice_and_ends_in_a_report(taking):
    box = taking()
    box.begin()
    item = KNOWN[box.mock.current]
    box.answer(key_of(box))
    box.buttons["Hand in"].click()
    assert "Without an answer: 2, 3," in box.below.value
    assert box.buttons["Hand in"].description == "Yes, hand in"
    box.buttons["Next"].click()
    assert box.buttons["Hand in"].description == "Hand in"
    box.buttons["Hand in"].click()
    box.buttons["Hand in"].click()
    assert not box.running
    assert not box.sheet.path.exists()
    assert "of the 50 questions that count" in box.shown.value
    assert "no scaled score" in repr(box)
    assert box._repr_html_().count("<details>") == 64
    assert review.outcomes(BANK) == [(item, True)]  # what was left open says nothing of memory
    with pytest.raises(ExamError, match="over"):
        box.begin()


def test_the_clock_runs_while_somebody_looks_and_stands_otherwise(taking, clock):
    box = taking()
    box.begin()
    for clock.now in range(1, 61):
        box.ticker.value += 1
    assert "89:00 left" in box.timer.value
    clock.now += 8 * 3600  # the lid was closed
    box.ticker.value += 1
    assert box.unsaved == 60 + PATIENCE
    box.pause()
    assert not box.ticker.playing
    clock.now += 100
    box.tick()
    box.begin()
    assert box.mock.spent == 60 + PATIENCE


def test_when_time_is_up_it_is_handed_in(taking, clock):
    box = taking()
    box.begin()
    box.answer(key_of(box))
    while box.running:
        clock.now += 60
        box.ticker.value += 1
    assert clock.now == 90 * 60
    assert box.mock.finished
    assert len(box.mock.answers) == 1


def test_two_windows_take_turns(taking, clock, tmp_path):
    here, there = taking(), taking()
    here.begin()
    there.begin()
    clock.now = 10
    there.answer(key_of(there))
    clock.now = 15
    here.buttons["Next"].click()
    assert len(here.mock.answers) == 0  # its line was empty, and it was the same question
    assert here.mock.spent == 10
    with Sheet(tmp_path).alone():  # a terminal
        here.buttons["Next"].click()
    assert "another window" in here.below.value
    there.hand_in()
    here.buttons["Next"].click()
    assert "handed in elsewhere" in here.below.value
    assert not here.running


def test_another_mock_begun_elsewhere_takes_the_place_of_this_one(taking):
    here = taking()
    here.begin()
    here.sheet.save(draw(BANK, 2, NOON.replace(hour=13)))
    here.buttons["Next"].click()
    assert "begun elsewhere" in here.below.value
    assert here.mock.seed == 2
    here.buttons["Next"].click()
    assert here.mock.place == 1


def test_a_simulated_mock_says_so_and_leaves_no_trace(tmp_path):
    box = room.mock(seed=4)
    other = box.simulate(Candidate(skill=0.6))
    for told in (repr(other), other._repr_html_(), other.shown.value):
        assert "by a SIMULATED candidate, not by a person" in told
    assert other.report().counted == 50
    assert other.report().unanswered == 0
    assert review.outcomes(banks.load()) == []
    assert not Sheet().path.exists()
    assert not (tmp_path / "progress" / "mocks").exists()
    with pytest.raises(ExamError, match="not handed in"):
        box.report()


def test_a_short_mock_is_taken_whole_and_resumed():
    box = room.mock(seed=4, questions=20)
    assert "20 questions, of which 15 count, in 28 minutes" in repr(box)
    box.begin()
    known = {item.id: item for item in banks.load()}
    for name in box.mock.items[:7]:
        box.answer(box.view.typed(known[name].key))
        box.next()
    again = room.mock()
    assert "7 of 20 answered" in repr(again)
    assert "room.mock(new=True) forgets it" in repr(again)
    again.begin()
    for name in again.mock.items[7:]:
        again.answer(again.view.typed(known[name].key))
        again.next()
    again.hand_in()
    assert "15 of the 15 questions that count: 100% right" in repr(again)


def test_a_damaged_mock_is_told_of_and_another_is_begun(tmp_path):
    sheet = Sheet()
    sheet.path.parent.mkdir(parents=True, exist_ok=True)
    sheet.path.write_text("{")
    box = room.mock(seed=4)
    for told in (repr(box), box._repr_html_()):
        assert "Its answers are lost" in told
        assert "65 questions" in told
    box.begin()
    assert room.mock().mock.seed == 4


def test_a_file_damaged_meanwhile_loses_nothing_that_is_on_show(taking):
    box = taking()
    box.begin()
    first = box.mock.current
    box.answer(key_of(box))
    box.sheet.path.write_text("{}")
    box.next()
    box.pause()
    assert list(taking().mock.answers) == [first]
    assert "lost" not in repr(box)


@pytest.mark.parametrize("kind", TYPES)
def test_what_goes_beyond_the_exam_says_so_wherever_it_is_asked(kind):
    item = read(kind, beyond=True)
    box = asking(item)
    assert "K1-0" in repr(box)
    assert "beyond the exam" in repr(box)
    assert "beyond the exam" in box.shown.value
    mocked = MockBox([item], draw([item], 1, NOON, beyond=True), None)
    mocked.begin()
    assert "Question 1 of 1 · beyond the exam" in mocked.shown.value
    mocked.hand_in()
    assert f"{item.id} · beyond the exam · not answered" in mocked.shown.value
    assert "beyond the exam" not in repr(asking(read(kind)))


def test_the_room_goes_on_with_the_terminals_mock(tmp_path):
    room.mock(seed=4).begin()
    assert room.mock(seed=5).mock.seed == 4
    assert room.mock(seed=5, new=True).mock.seed == 5


def test_a_field_tells_of_changes_by_hand_alone():
    told = []
    shown = view(read("matching"), 1)
    controls = field(shown, lambda: told.append(1))
    controls.show(shown.item.key)
    assert told == []
    next(iter(controls.menus.values())).value = ""
    assert told == [1]


def test_options_have_letters_where_a_page_s_style_numbers_lists():
    """JupyterLab's style overrules the attribute `type`; answers are letters all the same."""
    shown = view(next(item for item in banks.load() if item.prompts), 1)
    page = markup.question(shown, "")
    assert page.index("list-style-type:decimal") < page.index("list-style-type:upper-alpha")
