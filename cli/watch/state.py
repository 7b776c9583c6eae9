"""What `watch` knows and shows, and what each key changes of it. It asks nobody and draws nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cli.watch.acts import Press, presses
from cli.watch.keys import Key
from cli.watch.rows import Row, all_rows, found_rows
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.views import JobView
from services.actions import Offer
from services.glance import Found, Glance
from services.job_words import JobWords, read_words
from services.keys import Role
from services.story import Story

PAGE = 10
"""Lines that page up and down go."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Nobody wants to watch any more."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look at once."""


@dataclass(frozen=True, slots=True)
class Do:
    """Do this."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Redraw:
    """Draw all of it anew."""


Effect = Quit | Look | Do | Redraw | None


@dataclass(slots=True)
class Open:
    """A row that is opened.

    Args:
        row: as it was when it was seen last.
        story: of its job; None until it is read, and of what has none.
        at: the first line that is shown.
        most: the greatest of that, as it was drawn last.
    """

    row: Row
    story: Story | None = None
    at: int = 0
    most: int = 0


@dataclass(slots=True)
class State:
    """Everything that the screen is made of.

    Args:
        place: of the database or the API, in words.
        role: of whoever looks on.
        clock: seconds that never go back.
        can_type: there is a keyboard.
        glance: what was seen last; None before anything was.
        seen: when that was, by `clock`.
        depths: the past of each pool's queue, by its name.
        trouble: why nothing newer is known.
        said: what came of the last key.
        chosen: the id of the row that is chosen; None if none is.
        question: a key that is asked about.
        typing: the filter line while it is typed; None if it is not.
        words: the filter.
        looking: what is seen is not of this filter yet.
    """

    place: str
    role: Role
    clock: Callable[[], float] = time.monotonic
    can_type: bool = True
    glance: Glance | None = None
    seen: float = 0.0
    depths: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    trouble: RunError | None = None
    said: str = ""
    chosen: str | None = None
    question: Press | None = None
    typing: str | None = None
    words: JobWords | None = None
    looking: bool = False
    paused: bool = False
    helps: bool = False
    opened: Open | None = None
    _fresh: bool = True

    @property
    def rows(self) -> list[Row]:
        """What can be chosen."""
        return [*all_rows(self.glance)]

    @property
    def row(self) -> Row | None:
        """What keys are about: the row that is opened, or that is chosen."""
        if self.opened is not None:
            return self.opened.row
        return next((one for one in self.rows if one.id == self.chosen), None)

    @property
    def presses(self) -> list[Press]:
        """What keys do to it."""
        return presses(self.row, self.role) if self.can_type else []

    @property
    def age(self) -> float | None:
        """How old the figures are, in seconds; None if there are none."""
        return None if self.glance is None else max(0.0, self.clock() - self.seen)

    def see(self, glance: Glance) -> None:
        """Takes what was seen. Figures that an API has not read anew go on growing older."""
        if self.glance is None or glance.as_of != self.glance.as_of:
            self.seen = self.clock()
        if self.trouble is not None:
            self.said = "it answers again"
        self.glance, self.trouble = glance, None
        rows = {row.id: row for row in self.rows}
        found, self.looking = found_rows(glance) if self.looking else [], False
        if found:
            self.chosen = found[0].id
        elif self._fresh:
            self.chosen, self._fresh = next(iter(rows), None), False
        elif self.chosen is not None and self.chosen not in rows:
            # No other row takes its place: a key would do something to that.
            self.chosen, self.question = None, None
        if self.opened is not None:
            self.opened.row = rows.get(self.opened.row.id, self.opened.row)

    def press(self, key: str) -> Effect:
        """Takes a key."""
        if key == Key.REDRAW:
            return Redraw()
        if self.question is not None:
            return self._answer(key)
        if self.typing is not None:
            return self._type(key)
        self.said = ""
        if self.helps:
            self.helps = False
            return None
        if self.opened is not None and self._reads(key):
            return None
        return self._acts(key) or self._plainly(key)

    def _answer(self, key: str) -> Effect:
        asked, self.question = self.question, None
        if asked is not None and key in ("y", "Y"):
            return Do(asked.offer)
        self.said = "nothing is done"
        return None

    def _acts(self, key: str) -> Effect:
        for one in self.presses:
            if one.key == key:
                if one.question is None:
                    return Do(one.offer)
                self.question = one
        return None

    def _plainly(self, key: str) -> Effect:
        match key:
            case "q":
                return Quit()
            case "?":
                self.helps = True
            case "p":
                self.paused = not self.paused
                return None if self.paused else Look()
            case "/":
                self.typing = self.words.text if self.words is not None else ""
                self.opened = None
            case Key.ESCAPE if self.words is not None:
                return self._ask(None)
            case Key.ENTER | "e":
                if self.row is not None:
                    self.opened = Open(self.row)
                    return Look() if isinstance(self.row.about, JobView) else None
            case _:
                self._choose(key)
        return None

    def _choose(self, key: str) -> None:
        ids = [row.id for row in self.rows]
        if not ids or key not in _STEPS:
            return
        if self.chosen is None:
            self.chosen = ids[0]
        else:
            at = ids.index(self.chosen) + _STEPS[key]
            self.chosen = ids[max(0, min(len(ids) - 1, at))]

    def _reads(self, key: str) -> bool:
        """Whether the key is for the text that is open."""
        opened = self.opened
        if opened is not None and key in _STEPS:
            opened.at = max(0, min(opened.most, opened.at + _STEPS[key]))
            return True
        if key in (Key.ESCAPE, Key.ENTER, Key.BACKSPACE, "e", "q"):
            self.opened = None
            return True
        return False

    def _type(self, key: str) -> Effect:
        typed = self.typing or ""
        match key:
            case Key.ESCAPE:
                self.typing, self.said = None, ""
            case Key.ENTER:
                return self._filter(typed)
            case Key.BACKSPACE:
                self.typing = typed[:-1]
            case Key.CLEAR:
                self.typing = ""
            case _ if len(key) == 1:
                self.typing = typed + key
        return None

    def _filter(self, typed: str) -> Effect:
        try:
            words = read_words(typed)
        except InvalidRequest as error:
            self.said = str(error)
            return None
        self.typing, self.said = None, ""
        return self._ask(words if words.text else None)

    def _ask(self, words: JobWords | None) -> Effect:
        """Looks for other jobs; those that are there are not of this filter."""
        self.words, self.looking = words, True
        if self.glance is not None:
            self.glance = replace(self.glance, found=None if words is None else Found([], {}))
        return Look()

    def refuse_words(self, error: InvalidRequest) -> None:
        """The filter names what is not there."""
        self._ask(None)
        self.said = str(error)


_MANY = 1 << 30
_STEPS = {
    Key.UP: -1, "k": -1, Key.DOWN: 1, "j": 1, Key.PAGE_UP: -PAGE, Key.PAGE_DOWN: PAGE, " ": PAGE, Key.HOME: -_MANY,
    "g": -_MANY, Key.END: _MANY, "G": _MANY,
}  # fmt: skip
