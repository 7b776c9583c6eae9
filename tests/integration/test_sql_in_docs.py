"""The SQL that documents and help texts offer: each statement is executed, on an installation with rows, and undone."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from docs.generate.command_line import help_texts
from tests.integration.world import World

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "charts").rglob("*.md"))]
BLOCK = re.compile(r"^ *```sql\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r'affirm-worker psql (?:--csv )?-c "([^"]+)"')
SPAN = re.compile(r"`((?:select|update|delete|insert|alter|drop|grant) [^`]+)`")
ROLES = ["affirm_owner", "affirm_controller", "affirm_runner", "affirm_api", "reporting"]
"""Of the whole server, where other tests have them: here each is another one."""
NOT_ALONE = ("alter table affirm.jobs set schema public",)
"""A part of something longer, which the text describes."""


def statements(text: str) -> Iterator[list[str]]:
    """What a reader would type, together: a block, what follows `psql -c`, a span."""
    for block in BLOCK.findall(text):
        without_comments = re.sub(r"--.*", "", block)
        yield [one.strip() for one in without_comments.split(";") if one.strip()]
    prose = BLOCK.sub("", text)
    whole = [*TYPED.findall(prose), *SPAN.findall(prose)]
    yield from ([one] for one in whole if "…" not in one and one not in NOT_ALONE)


def offered() -> dict[str, list[list[str]]]:
    """The statements, by page or command."""
    texts = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
    texts |= {f"{path} --help": text for path, text in help_texts()}
    found = {name: list(statements(text)) for name, text in texts.items() if name != "docs/cli.md"}
    return {name: each for name, each in found.items() if each}


OFFERED = offered()


def test_the_documents_offer_some() -> None:
    assert {"README.md", "docs/operations.md", "docs/from-the-old-worker.md", "affirm-worker psql --help"} <= set(
        OFFERED
    )


@pytest.mark.parametrize("where", OFFERED)
async def test_each_statement_that_is_offered_works(world: World, where: str) -> None:
    world.submit(world.file("yob2024.txt", "Emma,F,20000\nLiam,M,22164\n"))
    await world.run_until_idle()
    with psycopg.connect(world.conninfo) as connection:
        for role in ROLES:
            connection.execute(f"create role test_docs_{role}".encode())
        for together in OFFERED[where]:
            with connection.transaction(force_rollback=True):
                for statement in together:
                    mine = re.sub(rf"\b({'|'.join(ROLES)})\b", r"test_docs_\1", statement)
                    mine = re.sub(r"\bnames_(owner|controller|runner|api)\b", r"test_docs_names_\1", mine)
                    connection.execute(mine.encode())
        connection.rollback()


def test_queries_for_people_are_on_counted_names() -> None:
    """The table `names` alone has no country, and counts rows that another dataset supersedes."""
    everything = [statement for each in OFFERED.values() for together in each for statement in together]
    assert [one for one in everything if re.search(r"\bfrom names\b", one)] == []
