"""Migrations say whether older programs may work on the database afterwards."""

import re

import pytest

from dataset_jobs import migrations
from dataset_jobs.migrations import MIGRATIONS
from dataset_jobs.migrations.compatibility import FIRST_TO_SAY, stops_older_programs
from tests.kit.newer_schema import GO_ON, STOP

BREAKS = re.compile(
    r"\b(drop (?!default\b|not null\b)|rename|truncate|revoke|set not null|"
    r"alter column \w+ (set data )?type|create or replace|add (constraint|check|unique|foreign key))",
    re.IGNORECASE,
)
"""What takes something from programs that know nothing of it, or refuses what they write."""


@pytest.mark.parametrize("migration", [one for one in MIGRATIONS if one.version >= FIRST_TO_SAY], ids=str)
def test_each_migration_says_whether_older_programs_go_on(migration: migrations.Migration) -> None:
    text = migrations._text(migration.name)
    assert stops_older_programs(text) or breaking(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "drop table runs;", "alter table jobs rename column state to status;", "revoke select on jobs from affirm_api;",
        "alter table jobs alter column state set not null;", "alter table jobs add column a int not null;",
        "create or replace function f() returns int return 1;", "alter table jobs add check (state <> '');",
    ],
)  # fmt: skip
def test_what_breaks_older_programs_is_seen(text: str) -> None:
    assert breaking(text)


def test_what_breaks_no_older_program_passes() -> None:
    text = "alter table jobs add column a int not null default 1, add column b text; create index i on jobs (a);"
    assert breaking(text) == []


def breaking(text: str) -> list[str]:
    """The parts of a migration that break older programs."""
    text = re.sub(r"--.*", "", text)
    columns = re.findall(r"add column [^,;]*", text, re.IGNORECASE)
    required = [one for one in columns if re.search(r"not null", one) and not re.search(r"\bdefault\b", one)]
    return [*(found[0] for found in BREAKS.finditer(text)), *required]


@pytest.mark.parametrize("text", ["", "-- Older programs: perhaps.\n", f"select 1;\n{GO_ON}", "alter table jobs"])
def test_a_migration_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a migration begins with"):
        stops_older_programs(text)


def test_what_a_migration_says_is_heeded() -> None:
    assert (stops_older_programs(STOP), stops_older_programs(GO_ON)) == (True, False)
