"""Made-up files to submit, and what must be in the database of each."""

import zipfile
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from random import Random

from tests.kit.letters import letters
from tests.unit.workbooks import Rows, xlsx

MARKER = "Xylophantine"
"""A name that stands in the lines which are rejected: it must never be seen in an error, a log or an event."""


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Args:
        rows: how many it has.
        digest: of its rows as `ROWS_OF_DATASETS` gives them; empty if the file has to be rejected.
    """

    path: Path
    rows: int
    total: int
    digest: str
    country: str = "US"

    @property
    def good(self) -> bool:
        """It can be loaded."""
        return bool(self.digest)


ROWS_OF_DATASETS = """
select datasets.id, datasets.filename, datasets.sha256, datasets.status, datasets.row_count, datasets.total_count,
    coalesce(held.rows, 0) as rows, coalesce(held.total, 0) as total, coalesce(held.digest, '') as digest
from datasets left join (
    select dataset_key, count(*) as rows, sum(count) as total, md5(string_agg(
        concat_ws(',', year, name, gender, folded_name, count), ';' order by year, name, gender)) as digest
    from names group by dataset_key
) held on held.dataset_key = datasets.key
"""


KINDS = ("text", "archive", "workbook")
WORKBOOKS = 450
"""So many there are: each has a year and a sex of its own, else they would overlap and be refused."""


def kind_of(number: int, workbooks: bool = False) -> str:
    """What kind the file of this number is, where all are wanted: most are text, unless most should be workbooks."""
    if number < WORKBOOKS and (number % 8 == 6 or (workbooks and number % 4 != 1)):
        return "workbook"
    return "archive" if number % 4 == 1 else "text"


def make_file(folder: Path, number: int, random: Random, bad: bool, most_rows: int, kind: str = "text") -> File:
    """Writes the file of this number, unlike any other.

    Args:
        folder: where to.
        number: part of its contents, so that it is a dataset of its own.
        random: for its size.
        bad: it has a line that no parser takes.
        most_rows: its largest size.
        kind: one of `KINDS`.
    """
    count = random.randint(1, most_rows)
    (folder / str(number)).mkdir()
    if kind == "workbook":
        return _make_workbook(folder / str(number), number, count, bad)
    # A year and a state of its own: files of the same ones would overlap, and be refused.
    year, state = 1880 + number % 140, _word(number // 140)[-2:].upper()
    lines = [(_name(row, number), "FM"[row % 2], 5 + number + row) for row in range(count)]
    text = "".join(f"{state},{sex},{year},{name},{count}\n" for name, sex, count in lines)
    text += f"{state},F,{year},{MARKER},many\n" if bad else ""
    path = folder / str(number) / f"{state}-{year}.{'zip' if kind == 'archive' else 'txt'}"
    if kind == "archive":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{state}-{year}.txt", text)
    else:
        path.write_text(text)
    return _file(path, [(year, name, sex, count) for name, sex, count in lines], bad, "US")


def _make_workbook(folder: Path, number: int, count: int, bad: bool) -> File:
    """One of the Office for National Statistics, which has one year and one sex, and the most frequent name first."""
    year, sex = 1790 + number % (WORKBOOKS // 2), "FM"[number // (WORKBOOKS // 2) % 2]
    rows = [(year, _name(row, number), sex, 5 + number + count - row) for row in range(count)]
    title = f"Top names for baby {'girls' if sex == 'F' else 'boys'} in England and Wales, {year}"
    cells: Rows = [[rank, name, count] for rank, (_, name, _, count) in enumerate(rows, 1)]
    path = folder / "babynames.xlsx"
    last: Rows = [[count + 1, MARKER, "many"]] if bad else []
    path.write_bytes(xlsx({"Table 6": [[title], ["Rank", "Name", "Count"], *cells, *last]}))
    return _file(path, rows, bad, "GB")


def _file(path: Path, rows: list[tuple[int, str, str, int]], bad: bool, country: str) -> File:
    shown = sorted(f"{year},{name},{sex},{name.lower()},{count}" for year, name, sex, count in rows)
    digest = "" if bad else md5(";".join(shown).encode()).hexdigest()
    return File(path, len(rows), sum(count for *_, count in rows), digest, country)


def _name(row: int, number: int) -> str:
    return f"{_word(row)}x{_word(number).lower()}"


def _word(number: int) -> str:
    return letters(number).capitalize()
