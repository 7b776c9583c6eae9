"""Databases that a newer version of this program has migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import psycopg

from dataset_jobs import migrations
from dataset_jobs.migrations import LATEST, MIGRATIONS, Migration

NEWER = LATEST + 1

GO_ON = "-- Older programs: go on.\nalter table jobs add column newer text;"
STOP = "-- Older programs: stop.\nalter table jobs rename column last_error to newer_error;"


def migrate_further(conninfo: str, text: str) -> list[str]:
    """Migrates as a program does that has one more migration, of this text."""
    with one_more(text):
        return migrations.apply(conninfo, [])


@contextmanager
def one_more(text: str) -> Iterator[None]:
    """This program has one more migration meanwhile."""
    further = Migration(NEWER, f"{NEWER:04}_newer")
    read = migrations._text
    with (
        patch.object(migrations, "MIGRATIONS", [*MIGRATIONS, further]),
        patch.object(migrations, "LATEST", NEWER),
        patch.object(migrations, "_text", lambda name: text if name == further.name else read(name)),
    ):
        yield


def refuse_this_program(conninfo: str) -> None:
    """The same, by a migration that older programs cannot work with, without its work."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("insert into schema_migrations (version, name) values (%s, 'newer')", [NEWER])
        connection.execute("update installation set oldest_schema = %s, oldest_program = '9.9.9'", [NEWER])
