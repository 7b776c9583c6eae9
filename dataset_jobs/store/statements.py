"""The SQL statements: a file of `sql/` has those of one transaction or topic, in the order in which they are executed.

A statement begins with `-- name: TOPIC.NAME`, TOPIC being the file's name, and sentences of its purpose.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import LiteralString

_FOLDER = files("dataset_jobs.store").joinpath("sql")
_NAME = re.compile(r"^-- name: (.*)\n((?:--.*\n)*)", re.MULTILINE)


def all_statements() -> list[str]:
    """Reads them all, for a process that is going to fork; their names."""
    topics = sorted(file.name.removesuffix(".sql") for file in _FOLDER.iterdir() if file.name.endswith(".sql"))
    return [name for topic in topics for name in statements_of(topic)]


def statement(name: str) -> LiteralString:
    """A statement's text, which begins with its name as a comment: so pg_stat_activity, logs and tests can name it.

    Args:
        name: such as `claim.pick`.

    Raises:
        KeyError: there is no such statement.
    """
    text = statements_of(name.partition(".")[0]).get(name)
    if text is None:
        raise KeyError(f"no SQL statement has the name {name!r}")
    return text


def parse(topic: str, text: str) -> Mapping[str, LiteralString]:
    """The statements of one file, by name.

    Args:
        topic: the file's name, which their names begin with.
        text: its contents.

    Raises:
        ValueError: a name is doubled or of another topic, or a statement has no purpose or no SQL.
    """
    found: dict[str, LiteralString] = {}
    _, *parts = _NAME.split(text)
    for name, purpose, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if name in found:
            raise ValueError(f"{topic}.sql has two statements of the name {name!r}")
        if not re.fullmatch(rf"{topic}\.[a-z_]+", name):
            raise ValueError(f"{topic}.sql: the name {name!r} is not {topic}. and lower-case letters")
        if not purpose or not sql.strip():
            raise ValueError(f"{topic}.sql: {name} has no purpose or no SQL")
        found[name] = f"-- {name}\n{sql.strip()}"
    return found


@cache
def statements_of(topic: str) -> Mapping[str, LiteralString]:
    """The statements of a topic, by name; none if there is no such topic."""
    file = _FOLDER.joinpath(f"{topic}.sql")
    return parse(topic, file.read_text(encoding="utf-8")) if file.is_file() else {}
