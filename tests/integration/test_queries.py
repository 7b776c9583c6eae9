"""The queries of docs/operations.md read what they need by an index, in a table of two million rows.

In a larger one they do so all the more: the smaller the table, the less an index is worth to the planner.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
YEARS, NAMES = 100, 10_000
"""A dataset a year, each with both sexes."""
ROWS = YEARS * 2 * NAMES
BLOCKS = 5000
"""More would be a good part of the table."""

FILL = f"""
create temporary table made as
select row_number() over () as number, country_id, year
from (select id as country_id from countries where code = 'US') chosen,
    generate_series(1925, {1924 + YEARS}) year;
insert into datasets (country_id, filename, storage_uri, sha256, size, status, loaded_at, row_count, total_count,
    parser, measure)
select country_id, number::text, 'local:x', lpad(to_hex(number), 64, '0'), 1, 'completed', now(), {2 * NAMES}, 1,
    'made', 'births'
from made order by number;
insert into coverage (dataset_key, year, gender, country_id, measure, row_count, total_count)
select key, year, gender::"char", made.country_id, 'births', {NAMES}, 10 * {NAMES}
from made join datasets on filename = number::text, unnest(array['F', 'M']) as gender;
insert into names (dataset_key, year, gender, name, folded_name, count)
select key, year, gender::"char", 'Name' || name, 'name' || name, 1 + (name * 7919) % 20011
from (select key, year, gender from made join datasets on filename = number::text, unnest(array['F', 'M']) as gender
    order by key, year, gender) covered,
    -- Of each in turn, as loads do: its rows stand together.
    lateral generate_series(1, {NAMES} + 0 * key) as name;
insert into names (dataset_key, year, gender, name, folded_name, count)
select dataset_key, year, gender, 'Emma', 'emma', 20100 from coverage;
"""
INDEXES = """
alter table names add primary key (dataset_key, year, name, gender);
create index names_by_folded_name on names (folded_name);
"""


def documented() -> dict[str, str]:
    """The queries, by what the comment above each says."""
    page = OPERATIONS.read_text(encoding="utf-8")
    block = re.search(r"## Looking at rows\n.*?```sql\n(.*?)```", page, re.DOTALL)
    assert block is not None
    found = re.findall(r"-- (.*)\n((?:(?!--).*\n)+)", block[1])
    return {comment: query.strip() for comment, query in found}


@pytest.fixture(scope="module")
def large(postgres: PostgresServer, template: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with so many rows in `names`."""
    with psycopg.connect(postgres.create_database("large", template), autocommit=True) as connection:
        # The rows first and the indexes after them, which takes half the time. UNLOGGED: nothing here must last.
        connection.execute("alter table names drop constraint names_pkey; drop index names_by_folded_name")
        connection.execute("alter table names set unlogged")
        connection.execute("set maintenance_work_mem = '512MB'; set max_parallel_maintenance_workers = 2")
        connection.execute(FILL.encode())
        connection.execute(INDEXES)
        connection.execute("vacuum (analyze) names, coverage, datasets")
        yield connection
    postgres.drop_database("large")


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


def test_the_table_is_as_large_as_is_said(large: psycopg.Connection[Any]) -> None:
    [(count,)] = large.execute("select count(*) from names").fetchall()
    assert count >= ROWS


@pytest.mark.parametrize("what", documented())
def test_what_affirm_name_asks_reads_few_rows_by_an_index(large: psycopg.Connection[Any], what: str) -> None:
    query = documented()[what]
    [([explained],)] = large.execute(f"explain (analyze, buffers, format json) {query}".encode()).fetchall()
    read = [scan for scan in scans(explained["Plan"]) if scan["Relation Name"] == "names"]
    shown = json.dumps(explained, indent=1)
    for scan in read:
        assert "Index" in scan["Node Type"] or "Bitmap" in scan["Node Type"], shown
        rows = (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"]
        assert rows <= 4 * NAMES, shown
    assert explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"] <= BLOCKS, shown
    assert bool(read) == ("counted_names" in query)
    assert explained["Plan"]["Actual Rows"] > 0, shown


def test_every_kind_of_query_is_documented() -> None:
    assert len(documented()) == 3
