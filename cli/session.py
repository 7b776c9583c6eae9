"""What a command begins with: the settings, the log, the database."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.database import Database, open_database
from app.logs import set_up_logs
from app.places import Places, places_of
from app.settings import Settings, read
from cli.begin import read_and_say, warn
from cli.options import context as context_option
from services.client import Client


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Args:
        settings: checked.
        places: where database and storage are, in words.
        database: open.
        client: the use cases; it connects at the first one.
    """

    settings: Settings
    places: Places
    database: Database
    client: Client


def begin() -> Settings:
    """The settings and the log of a command that says itself which database it is about.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen())
    warn(reading)
    settings = reading.checked()
    set_up_logs(settings)
    return settings


def read_and_log(logger: logging.Logger) -> tuple[Settings, Places]:
    """As `read_and_say`, for a program that runs for long: what it works on is in its log, embedded or not."""
    reading = read(context_option.chosen())
    if reading.problems:
        warn(reading)
    settings, places = reading.checked(), places_of(reading)
    set_up_logs(settings)
    for doubt in reading.doubts:
        logger.warning("%s", doubt.text)
    health = "none" if settings.health_port is None else str(settings.health_port)
    context = f"context: {places.context}; " if places.context else ""
    logger.log(
        logging.WARNING if places.embedded else logging.INFO,
        "%sdatabase: %s; storage: %s; health port: %s",
        context, places.database_in_words, places.storage, health,
    )  # fmt: skip
    return settings, places


@contextmanager
def session(migrated: bool = False) -> Iterator[Session]:
    """Settings, log and database for one command.

    Args:
        migrated: apply pending migrations first; the embedded database gets them always.

    Raises:
        Misconfigured: a setting is wrong.
    """
    settings, places = read_and_say()
    set_up_logs(settings)
    with open_database(settings, migrated) as database, Client.connect(database.conninfo) as client:
        yield Session(settings, places, database, client)
