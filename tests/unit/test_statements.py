"""The SQL statements and their names."""

import ast
from pathlib import Path

import pytest

import dataset_jobs.store
import services
from dataset_jobs.store.statements import all_statements, parse, statement

STORE = Path(dataset_jobs.store.__file__).parent
TOPICS = {path.stem for path in STORE.glob("sql/*.sql")}


def names_in_code() -> set[str]:
    """Every string of the store and the services that begins like a statement's name."""
    files = [*STORE.glob("*.py"), *Path(services.__file__).parent.rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    constants = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in constants if isinstance(text, str) and is_name(text)}


def is_name(text: str) -> bool:
    topic, dot, name = text.partition(".")
    return topic in TOPICS and dot == "." and name.replace("_", "").isalpha()


def test_every_statement_is_used_and_every_used_one_exists() -> None:
    assert names_in_code() == set(all_statements())


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_each_file_begins_with_sentences_about_its_transaction(topic: str) -> None:
    text = (STORE / "sql" / f"{topic}.sql").read_text(encoding="utf-8")
    about, *statements = text.split("\n-- name: ")
    assert all(line.startswith("-- ") for line in about.strip().splitlines())
    assert about.rstrip().endswith(".")
    for one in statements:
        name, first = one.splitlines()[:2]
        assert first.startswith("-- "), f"{name} needs a sentence of purpose"


def test_a_statement_begins_with_its_name() -> None:
    assert statement("claim.lock_pool").startswith("-- claim.lock_pool\nselect max_running, ")
    assert all(statement(name).startswith(f"-- {name}\n") for name in all_statements())


@pytest.mark.parametrize("name", ["claim.nothing", "nothing.pick", "claim", ""])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match=f"no SQL statement has the name '{name}'"):
        statement(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- name: a.b\n-- One.\nselect 1\n\n-- name: a.b\n-- Two.\nselect 2\n", "two statements of the name 'a.b'"),
        ("-- name: c.b\n-- One.\nselect 1\n", "'c.b' is not a. and"),
        ("-- name: a.b\nselect 1\n", "a.b has no purpose"),
        ("-- name: a.b\n-- One.\n\n-- name: a.c\n-- Two.\nselect 2\n", "a.b has no purpose or no SQL"),
    ],
)
def test_a_file_that_is_wrong_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse("a", text)
