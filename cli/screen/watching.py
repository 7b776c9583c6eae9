"""`--watch`: a list or the status again and again, in place on a terminal, a line for each change elsewhere.

It asks the database every `EVERY_SECONDS`, and more seldom if the answer takes long. A database that is away is waited
for. Ctrl-C ends it with exit code 130, as `kubectl get --watch` does; the terminal keeps the last state.
"""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Generic, NoReturn, Protocol, TypeVar
from uuid import UUID

import typer

from cli.exit_codes import INTERRUPTED
from cli.screen import output
from cli.screen.prose import fitted
from cli.screen.table import Choice, Column, PlainRows, terminal_width
from cli.wording.hints import error_in_words
from dataset_jobs.model.errors import RunError, Temporary
from dataset_jobs.model.text import one_line

if TYPE_CHECKING:
    from rich.live import Live

EVERY_SECONDS = 2.0
SHARE = 5
"""At most one part in so many of the time goes into asking."""
_LOOK_AT_SIZE_SECONDS = 0.25

Seen = TypeVar("Seen")


class _Item(Protocol):
    @property
    def id(self) -> UUID: ...


View = TypeVar("View", bound=_Item)

Watch = Annotated[
    bool,
    typer.Option("--watch", help="Go on until Ctrl-C: in place on a terminal, else a line for each change."),
]


def watch(
    look: Callable[[], Seen],
    shown: Callable[[Seen], Sequence[str]],
    changes: Callable[[Seen | None, Seen], None],
    *,
    as_json: bool,
) -> NoReturn:
    """Shows what there is until it is interrupted.

    Args:
        look: asks the database.
        shown: the lines of a terminal for an answer.
        changes: prints a line for each difference of two answers; there is no first one to begin with.
        as_json: the lines are for programs.

    Raises:
        Exit: always.
        RunError: what does not pass by itself.
    """
    if not (sys.stdout.isatty() and not as_json and has_screen()):
        line_by_line(look, changes)
    with _until_interrupted():
        _in_place(look, shown)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    with _signals_end_it() as ended:
        try:
            yield
        except KeyboardInterrupt:
            raise typer.Exit(128 + ended[-1] if ended else INTERRUPTED) from None


def line_by_line(
    look: Callable[[], Seen], changes: Callable[[Seen | None, Seen], None], every_seconds: float = EVERY_SECONDS
) -> NoReturn:
    """As `watch`, without a terminal or for programs.

    Args:
        look, changes: see there.
        every_seconds: between two looks, at least.
    """
    with _until_interrupted():
        _line_by_line(look, changes, every_seconds)


def _line_by_line(
    look: Callable[[], Seen], changes: Callable[[Seen | None, Seen], None], every_seconds: float
) -> NoReturn:
    before: Seen | None = None
    away = False
    while True:
        began = time.monotonic()
        try:
            now = look()
        except Temporary as error:
            if not away:
                output.said_no(f"{error_in_words(error)}; it is tried again")
            away = True
        else:
            if away:
                output.said_no("the database answers again")
            away = False
            changes(before, now)
            sys.stdout.flush()
            before = now
        time.sleep(_pause(time.monotonic() - began, every_seconds))


def _in_place(look: Callable[[], Seen], shown: Callable[[Seen], Sequence[str]]) -> NoReturn:
    from rich.live import Live

    seen: list[Seen] = []
    trouble: RunError | None = None
    at = datetime.now()
    try:
        with Live(screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                began = time.monotonic()
                try:
                    seen = [look()]
                    at, trouble = datetime.now(), None
                except Temporary as error:
                    trouble = error
                took = time.monotonic() - began
                size = None
                while time.monotonic() < began + took + _pause(took):
                    if size != (size := shutil.get_terminal_size()):
                        _draw(live, [*_heading(at, trouble), *(shown(seen[0]) if seen else ())], size.lines)
                    time.sleep(_LOOK_AT_SIZE_SECONDS)
    finally:
        if seen:
            output.print_lines(shown(seen[0]))


def _heading(at: datetime, trouble: RunError | None) -> Iterator[str]:
    when = at.astimezone().strftime("%H:%M:%S %Z")
    if trouble is None:
        yield f"at {when}; Ctrl-C ends"
    else:
        said = f"as of {when}; it is tried again, for {one_line(error_in_words(trouble))}"
        yield from fitted(said, terminal_width())
    yield ""


def _draw(live: "Live", lines: Sequence[str], height: int) -> None:
    from rich.text import Text

    if len(lines) > height:
        lines = [*lines[: height - 1], f"… {len(lines) - height + 1:,} more lines"]
    live.update(Text.from_ansi("\n".join(lines), no_wrap=True, overflow="crop"), refresh=True)


def _pause(took: float, every_seconds: float = EVERY_SECONDS) -> float:
    return max(every_seconds, (SHARE - 1) * took)


def has_screen() -> bool:
    """Whether lines can be drawn again where they were."""
    from rich.console import Console

    return not Console().is_dumb_terminal


@contextmanager
def _signals_end_it() -> Iterator[list[int]]:
    """SIGTERM and a closed terminal end it as Ctrl-C does, so that the terminal is as it was; which came is in it."""
    came: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    old = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    for one, handler in old.items():
        if handler != signal.SIG_IGN:  # nohup
            signal.signal(one, end)
    try:
        yield came
    finally:
        for one, handler in old.items():
            signal.signal(one, handler)


class Changes(Generic[View]):
    """The lines of `--watch` for a list: one for each item that is new, has changed, or is no longer in the list.

    Args:
        columns: of the list.
        row: an item's values.
        read: items by their ids, those that are gone left out.
        removed: an item as one that is gone.
        as_json: a line of JSON for each, as the list has them; one that is gone is its id and `removed`.
        choice: the columns that the user wants.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        row: Callable[[View], Sequence[Any]],
        read: Callable[[Iterable[UUID]], Sequence[View]],
        removed: Callable[[View], View],
        *,
        as_json: bool,
        choice: Choice,
    ) -> None:
        self._rows = PlainRows(columns, choice)
        self._row, self._read, self._removed, self._as_json = row, read, removed, as_json

    def tell(self, before: Sequence[View] | None, now: Sequence[View]) -> None:
        """Prints the differences of two answers, the oldest item first."""
        if before is None and not self._as_json:
            output.print_lines([self._rows.heading(map(self._row, now))])
        old = {item.id: item for item in before or ()}
        gone = old.keys() - {item.id for item in now}
        # They may have left the filter, the first so many, or the database.
        left = {item.id: item for item in self._read(gone)} if gone else {}
        for item in reversed(now):
            if old.get(item.id) != item:
                self._print(item)
        for one in gone:
            if one not in left:
                self._print(old[one], removed=True)
            elif left[one] != old[one]:
                self._print(left[one])

    def _print(self, item: View, *, removed: bool = False) -> None:
        if not self._as_json:
            output.print_lines([self._rows.line(self._row(self._removed(item) if removed else item))])
        elif removed:
            output.print_json({"id": item.id, "removed": True}, indent=None)
        else:
            output.print_json(item, indent=None)
