"""The screen of `watch`: nothing is wider than the terminal, what is worst is there, and what is hidden is counted."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from cli.screen.table import width_of
from cli.watch.layout import picture, screen
from cli.watch.marks import Marks, marks_for, plain
from cli.watch.state import State
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.sentences import Sentence
from services.glance import Found, Glance
from services.job_words import read_words
from services.keys import Role
from services.waiting import Because, Waiting
from tests.kit.glances import glance, job, pool, problem

UTF_8 = Marks()
HOSTILE = "a\x1b[2Jb\nc\u202ed\x9b"


def watching(seen: Glance, **known: object) -> State:
    """Somebody who has just looked, an hour of whose clock is nothing."""
    state = State("names.example:5432/names", Role.ADMIN, clock=lambda: 7.0)
    state.see(seen)
    for name, value in known.items():
        setattr(state, name, value)
    return state


def drawn(state: State, width: int = 80, height: int = 24, marks: Marks = UTF_8) -> list[str]:
    return [plain(line) for line in screen(state, width, height, marks)]


@pytest.mark.parametrize(("width", "height"), [*product((20, 40, 80), (5, 10, 24)), (59, 24), (119, 30), (120, 30)])
@pytest.mark.parametrize("many", [0, 20])
def test_a_screen_is_as_large_as_its_terminal(width: int, height: int, many: int) -> None:
    state = watching(glance(many, many, many, many))
    for key in ("", "G", "enter", "q", "?"):
        if key:
            state.press(key)
        lines = drawn(state, width, height)
        assert len(lines) == height
        assert max(map(width_of, lines)) <= width


def test_what_is_wrong_is_whole_on_a_small_terminal() -> None:
    lines = drawn(watching(glance()))
    text = " ".join(line.strip() for line in lines[2:7])
    assert "pool default is blocked since" in text and "and it goes on by itself since 2 h" in text
    assert "it passes by itself" in text and "s Pause the pool" in text
    assert "the setup of the installation" in lines[-2]


def test_each_part_is_there_on_a_small_terminal() -> None:
    lines = drawn(watching(glance(9, 9, 30, 30)))
    text = "\n".join(lines)
    for part in ("more problems)", "POOL", "RUNNING 270", "JUST HAPPENED", "? keys", "q quit"):
        assert part in text
    assert sum(line.startswith("  pool-") or "default" in line for line in lines) >= 3
    assert text.count("yob1") >= 3 and text.count("failed") >= 3


def test_a_pool_says_how_it_is() -> None:
    [line] = [line for line in drawn(watching(glance(0, 1)), 120) if line.startswith("› default")]
    assert " ".join(line.split()) == "› default 312 █ 118 min 3/8/8 97 % 81 % as many as wait"


def test_what_nobody_knows_is_a_dash() -> None:
    seen = glance(0, 0)
    seen = replace(seen, status=replace(seen.status, pools=[pool()]), past={})
    [line] = [line for line in drawn(watching(seen)) if line.startswith("› default")]
    assert line.split()[1:] == ["default", "0", "▁", "–", "0/–/8", "–", "–"]


def test_the_chosen_row_is_always_seen() -> None:
    state = watching(glance(8, 8, 9, 9))
    for _ in state.rows:
        assert any(line.startswith("›") for line in drawn(state)), state.chosen
        state.press("j")


def test_a_chosen_row_that_goes_is_nobody() -> None:
    """Else the next key would do something to another one."""
    state = watching(glance(0, 1, 2))
    state.press("G")
    state.press("c")
    assert state.row is not None
    state.see(glance(0, 1, 2, 0))
    assert state.row is None and state.question is None and state.presses == []


def test_only_what_a_role_may_has_a_key() -> None:
    state = watching(glance(1, 1, 1))
    seen = {}
    for role in Role:
        state.role, state.chosen = role, None
        keys = set()
        for _ in state.rows:
            state.press("j")
            keys |= {one.key for one in state.presses}
        seen[role] = keys
    assert seen == {Role.VIEWER: set(), Role.UPLOADER: {"c", "r"}, Role.ADMIN: {"c", "r", "s"}}


def test_what_stops_something_is_asked_before() -> None:
    state = watching(glance())
    assert state.press("s") is None
    assert any("pause pool default?" in line for line in drawn(state))
    state.press("x")
    assert "nothing is done" in "\n".join(drawn(state))


def test_a_wrong_filter_is_said_while_it_can_be_changed() -> None:
    state = watching(glance())
    for key in ("/", *"stat:failed", "enter"):
        state.press(key)
    assert any("did you mean state:?" in line for line in drawn(state))
    for key in ("clear", *"state:failed", "enter"):
        state.press(key)
    assert state.words is not None and state.words.text == "state:failed"


def test_jobs_that_were_asked_for_say_why_they_wait() -> None:
    waits = job(7, "queued")
    found = Found([waits], {waits.id: Waiting(Because.NEXT, Sentence(("it is the next one",)))})
    lines = drawn(watching(glance(found=found), words=read_words("state:queued")))
    assert "  JOBS state:queued" in lines
    assert any("queued" in line and "it is the next one" in line for line in lines)


def test_trouble_is_said_with_the_age_of_what_is_seen() -> None:
    state = watching(glance(), trouble=Unavailable("database: no answer"))
    state.clock = lambda: 30.0
    first, second, *_ = drawn(state)
    assert first.endswith("(23 s old)")
    assert "it is tried again: database: no answer" in second


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_gets_only_what_it_can_show(encoding: str) -> None:
    marks = marks_for(encoding)
    seen = glance(found=Found([job(1, filename=f"{HOSTILE}名前…é.txt")], {}))
    for lines in (drawn(watching(seen), marks=marks), [plain(line) for line in picture(watching(seen), 80, marks)]):
        "\n".join(lines).encode(encoding)
        assert max(map(width_of, lines)) <= 80
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("keys", ["", "G", "c", "?", "/", ["enter"], ["G", "enter"], ["j", "enter"]], ids=str)
def test_no_text_from_outside_is_obeyed(keys: Sequence[str]) -> None:
    bad = {"filename": HOSTILE, "country": HOSTILE, "last_error": HOSTILE, "last_cause": HOSTILE}
    seen = glance(0, 1, 1)
    queue = pool(HOSTILE, queued=1, running=1, runs_working=1, desired=3, reason=HOSTILE, decided_by=HOSTILE)
    one = replace(seen.status.controllers[0], owner=HOSTILE, pools=[HOSTILE])
    seen = replace(
        seen,
        status=replace(seen.status, pools=[queue], controllers=[one]),
        problems=[problem(HOSTILE, HOSTILE)],
        recent=replace(seen.recent, running=[job(1, **bad)], ended=[job(2, "failed", **bad), job(3, HOSTILE, **bad)]),
    )
    state = watching(seen, place=HOSTILE, trouble=None if keys else Unavailable(HOSTILE))
    for key in keys:
        state.press(key)
    for width in (80, 140):
        assert all(line.isprintable() for line in drawn(state, width))
        assert all(plain(line).isprintable() for line in picture(state, width, UTF_8))


def test_a_picture_has_everything_and_commands_to_type() -> None:
    seen = replace(glance(0, 12, 8, 8), problems=[problem(), problem("pool large is paused", "large")])
    lines = [plain(line) for line in picture(watching(seen, can_type=False), 80, UTF_8)]
    text = "\n".join(lines)
    assert "and it goes on by itself" in text.replace("\n    ", " ")
    assert any(line.endswith("affirm-worker pools pause default") for line in lines)
    assert all(f"  pool-{number} " in text for number in range(1, 12))
    assert text.count("yob") == 16
