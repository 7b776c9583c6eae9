"""A package with parsers that note problems and never look at them again, each at another moment."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parser_runner.parsers import Parsed, Row, Source

TITLE = "Forgetful Office, "


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str = __name__, *countries: str) -> None:
    """Makes a module with `PARSERS` findable by entry point, as pip does, until the test ends."""
    info = folder / "my_parsers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parsers\nVersion: 1.0\n")
    points = "".join(f"{country.lower()} = {module}\n" for country in countries or ("JP",))
    (info / "entry_points.txt").write_text(f"[affirm_worker.parsers]\n{points}")
    monkeypatch.syspath_prepend(folder)


class Forgetful:
    """Reads name,count below its title, and notes other lines as problems."""

    def __init__(self, when: str, rows: Callable[[Source], Iterator[Row] | list[Row]]) -> None:
        self.name = f"jp-{when}"
        self.description = f"lines of name,count below the title {TITLE}{when}"
        self._title = f"{TITLE}{when}\n".encode()
        self._rows = rows

    def recognise(self, source: Source) -> bool | None:
        return source.head().startswith(self._title) or None

    def parse(self, source: Source, match: bool) -> Parsed:
        return Parsed(self.name, "births", None, self._rows(source))  # type: ignore[arg-type]


def _while_reading(source: Source) -> Iterator[Row]:
    for number, line in source.lines():
        name, _, count = line.partition(",")
        if number > 1 and count.isdigit():
            yield Row(2020, "F", name, int(count), number)
        elif number > 1:
            source.problem("expected name,count", number)


def _before_reading(source: Source) -> list[Row]:
    return [*_while_reading(source)]


def _after_reading(source: Source) -> Iterator[Row]:
    rows = _before_reading(Source(source.filename, source.file))
    try:
        yield from rows
    finally:
        source.problem("two lines are none", 4)


PARSERS = [
    Forgetful("while-reading", _while_reading),
    Forgetful("before-reading", _before_reading),
    Forgetful("after-reading", _after_reading),
]
