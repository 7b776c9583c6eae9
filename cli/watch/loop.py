"""`watch` on a terminal: looks, draws and acts until somebody has seen enough."""

import shutil
import sys
import time
from collections import deque
from typing import NoReturn

import typer

from cli.screen.streams import CannotPrint
from cli.watch.asking import Answer, Asking, Crashed, Done, Failed, Looked, Refused
from cli.watch.layout import screen
from cli.watch.marks import marks_for
from cli.watch.state import Do, Effect, Look, Quit, Redraw, State
from cli.watch.terminal import Terminal
from cli.wording.hints import error_in_words
from dataset_jobs.model.errors import RunError, Temporary
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.views import JobView
from services.filters import JobFilter
from services.use_cases import UseCases

PAST_SECONDS = 60.0
"""Between two reads of the past of pools."""

DRAW_SECONDS = 1.0
"""Between two pictures while nothing happens: the age of figures is on them."""

SHARE = 5
"""At most one part in so many of the time goes into looking."""


class Watching:
    """The loop.

    Args:
        client: asked by a thread of its own.
        state: what is shown at first.
        every_seconds: between two looks.
    """

    def __init__(self, client: UseCases, state: State, every_seconds: float) -> None:
        self._terminal = Terminal()
        self._state = state
        self._state.can_type = self._terminal.can_type
        self._every = every_seconds
        self._marks = marks_for(sys.stdout.encoding)
        self._answers: deque[Answer] = deque()
        self._asking = Asking(client, self._answered)
        self._looking = False
        self._due = self._asked_at = 0.0
        self._past_due = 0.0

    def run(self) -> NoReturn:
        """Goes on until somebody ends it.

        Raises:
            Exit: always.
            RunError: what does not pass by itself.
        """
        try:
            with self._terminal.taken():
                self._go_on()
        except CannotPrint:
            if self._terminal.ended_by is None:
                raise  # else the terminal is closed
        finally:
            self._asking.end()
        raise typer.Exit(0 if self._terminal.ended_by is None else 128 + self._terminal.ended_by)

    def _go_on(self) -> None:
        while self._terminal.ended_by is None:
            if not self._state.paused and time.monotonic() >= self._due:
                self._look()
            size = shutil.get_terminal_size()
            self._terminal.draw(screen(self._state, size.columns, size.lines, self._marks))
            for key in self._terminal.wait(self._patience()):
                if self._take(self._state.press(key)):
                    return
            self._state.can_type = self._terminal.can_type
            while self._answers:
                self._hear(self._answers.popleft())

    def _patience(self) -> float:
        until_due = self._due - time.monotonic() if not (self._state.paused or self._looking) else DRAW_SECONDS
        return max(0.0, min(DRAW_SECONDS, until_due))

    def _take(self, effect: Effect) -> bool:
        """Does what a key asks for; whether that is the end."""
        match effect:
            case Quit():
                return True
            case Look():
                self._due = 0.0
                if self._state.paused:
                    self._look()
            case Do(offer):
                self._state.said = "…"
                self._asking.do(offer)
            case Redraw():
                self._terminal.redraw()
        return False

    def _look(self) -> None:
        if not self._looking:
            self._looking, self._asked_at = True, time.monotonic()
            opened = self._state.opened
            job = opened.row.about if opened is not None else None
            self._asking.look(self._which, job.id if isinstance(job, JobView) else None)

    @property
    def _which(self) -> JobFilter | None:
        return None if self._state.words is None else self._state.words.which

    def _answered(self, answer: Answer) -> None:
        self._answers.append(answer)
        self._terminal.wake()

    def _hear(self, answer: Answer) -> None:
        state = self._state
        match answer:
            case Looked():
                self._looked()
                self._see(answer)
            case Done(said):
                state.said, self._due = said, 0.0
                if state.paused:
                    self._look()
            case Refused(error):
                state.said, self._due = error_in_words(error), 0.0
            case Failed(error, which):
                self._looked()
                self._fail(error, which)
            case Crashed(fault):
                raise fault
            case depths:
                state.depths = depths

    def _see(self, found: Looked) -> None:
        state, opened = self._state, self._state.opened
        state.role = found.role
        if found.which == self._which:
            state.see(found.glance)
        else:
            self._due = 0.0
        if opened is not None and isinstance(opened.row.about, JobView):
            if found.story is not None and found.story.job.id == opened.row.about.id:
                opened.story = found.story
            elif opened.story is None:
                self._due = 0.0
        if time.monotonic() >= self._past_due:
            self._past_due = time.monotonic() + PAST_SECONDS
            self._asking.depths(found.glance)

    def _fail(self, error: RunError, which: JobFilter | None) -> None:
        if isinstance(error, Temporary):
            self._state.trouble = error
        elif which is not None and isinstance(error, InvalidRequest):
            self._state.refuse_words(error)
            self._due = 0.0
        else:
            raise error

    def _looked(self) -> None:
        now = time.monotonic()
        self._looking, self._due = False, now + max(self._every, (SHARE - 1) * (now - self._asked_at))
