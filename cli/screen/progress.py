"""What `load` shows while it works: a bar on a terminal, a line every few seconds elsewhere. On stderr."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from app.logs import set_up_logs
from app.settings import Settings
from cli.screen.output import say
from cli.screen.prose import fitted
from dataset_jobs.model.text import one_line
from dataset_jobs.model.trouble import Quiet
from dataset_jobs.store.views import Progress

LINE_SECONDS = 3.0
"""Between two lines, where there is no terminal."""


class Display(Protocol):
    """Where progress is shown."""

    def say(self, message: str) -> None:
        """The current step, before and between the files."""

    def show(self, progress: Progress, jobs: int) -> None:
        """How far `jobs` jobs are."""

    def waits(self, waits: Sequence[str]) -> None:
        """All that is waited for now, a sentence each."""

    def end(self) -> None:
        """Nothing more is to come; the terminal is free."""


@contextmanager
def open_display(settings: Settings) -> Iterator[Display]:
    """The display that fits where the output goes. Logs are set up too, so that their lines stay out of its way.

    Unless LOG_LEVEL is set, only warnings are logged: the display says the rest.
    """
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "CRITICAL"})
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        set_up_logs(settings)
        yield _Lines()
        return
    console = Console(stderr=True)
    set_up_logs(settings, console)
    display = _bar(console)
    try:
        yield display
    finally:
        display.end()


def working_on(progress: Progress) -> str:
    """The files that are being loaded now, in a few words."""
    first = ", ".join(progress.running_files[:3])
    more = progress.running - min(3, len(progress.running_files))
    waiting = f"{progress.waiting} wait for a retry" if progress.waiting else ""
    return "; ".join(filter(None, [first + (f" and {more} more" if more > 0 else ""), waiting]))


class _Lines:
    """A line every few seconds, and whenever something else is being done."""

    def __init__(self) -> None:
        self._next = 0.0
        self._last = ""
        self._waits = Quiet()

    def say(self, message: str) -> None:
        self._line(message)

    def show(self, progress: Progress, jobs: int) -> None:
        failed = f", {progress.failed} failed" if progress.failed else ""
        doing = working_on(progress)
        self._line(
            f"{progress.finished}/{jobs} files{failed}, {progress.rows_done:,} rows" + (f": {doing}" if doing else "")
        )

    def waits(self, waits: Sequence[str]) -> None:
        for text in waits:
            if self._waits.is_due(text, time.monotonic()):
                say(text, to=sys.stderr)

    def end(self) -> None:
        pass

    def _line(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._next and text != self._last:
            say(text, to=sys.stderr)
            self._next = now + LINE_SECONDS
            self._last = text


def _bar(console: Console) -> Display:
    # What is being done gives way to the figures where the terminal is narrow.
    doing = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = RichProgress(
        SpinnerColumn(table_column=Column(min_width=1)),
        BarColumn(bar_width=16, table_column=Column(min_width=16)),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn("files {task.fields[rows]:>10,} rows", table_column=Column(no_wrap=True, min_width=21)),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn("{task.description}", markup=False, style="dim", table_column=doing),
        console=console,
        transient=True,
        expand=True,
    )

    class Bar:
        def __init__(self) -> None:
            self._task = columns.add_task("", total=None, rows=0)
            self._waits = Quiet()
            columns.start()

        def say(self, message: str) -> None:
            columns.update(self._task, description=one_line(message))

        def show(self, progress: Progress, jobs: int) -> None:
            failed = f"{progress.failed} failed; " if progress.failed else ""
            columns.update(
                self._task,
                completed=progress.finished,
                total=jobs,
                rows=progress.rows_done,
                description=one_line(failed + working_on(progress)),
            )

        def waits(self, waits: Sequence[str]) -> None:
            # Above the bar, where there is room for a sentence.
            for text in waits:
                if self._waits.is_due(text, time.monotonic()):
                    for line in fitted(one_line(text), columns.console.width):
                        columns.console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)

        def end(self) -> None:
            columns.stop()

    return Bar()
