"""Made-up files to submit, and what must be in the database of each."""

from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from random import Random

MARKER = "Xylophantine"
"""A name that stands in the lines which are rejected: it must never be seen in an error, a log or an event."""


@dataclass(frozen=True, slots=True)
class File:
    """One file.

    Args:
        rows: how many it has.
        digest: of its rows as `ROWS_OF_DATASETS` gives them; empty where the file is to be rejected.
    """

    path: Path
    rows: int
    total: int
    digest: str

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


def make_file(folder: Path, number: int, random: Random, bad: bool, most_rows: int) -> File:
    """Writes the file of this number, unlike any other.

    Args:
        folder: where to.
        number: part of its contents, so that it is a dataset of its own.
        random: for its size.
        bad: it has a line that no parser takes.
        most_rows: at the most.
    """
    # A year and a state of its own: files of the same ones would overlap, and be refused.
    year, state = 1880 + number % 140, _word(number // 140)[-2:].upper()
    rows = random.randint(1, most_rows)
    lines = [(f"{_word(row)}x{_word(number).lower()}", "FM"[row % 2], 5 + number + row) for row in range(rows)]
    path = folder / str(number) / f"{state}-{year}.txt"
    path.parent.mkdir()
    text = "".join(f"{state},{sex},{year},{name},{count}\n" for name, sex, count in lines)
    path.write_text(text + (f"{state},F,{year},{MARKER},many\n" if bad else ""))
    shown = sorted(f"{year},{name},{sex},{name.lower()},{count}" for name, sex, count in lines)
    digest = "" if bad else md5(";".join(shown).encode()).hexdigest()
    return File(path, rows, sum(count for _, _, count in lines), digest)


def _word(number: int) -> str:
    letters = ""
    for _ in range(4):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return letters.capitalize()
