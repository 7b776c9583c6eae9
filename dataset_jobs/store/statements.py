"""The SQL statements: one in each file of `sql/`, whose first line says what it is for and who calls it."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def statement(name: str) -> LiteralString:
    """The text of `sql/NAME.sql`."""
    text = files("dataset_jobs.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return text
