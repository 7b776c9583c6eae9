"""The SQL statements: one in each file of `sql/`, whose first line says what it is for and who calls it."""

from functools import cache
from importlib.resources import files
from typing import LiteralString

from dataset_jobs.store import adapters

__all__ = ["adapters", "all_statements", "statement"]


def all_statements() -> None:
    """Reads them all, for whoever is going to fork."""
    for file in files("dataset_jobs.store").joinpath("sql").iterdir():
        statement(file.name.removesuffix(".sql"))


@cache
def statement(name: str) -> LiteralString:
    """The text of `sql/NAME.sql`."""
    text = files("dataset_jobs.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return text
