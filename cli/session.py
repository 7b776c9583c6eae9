"""What a command begins with: the settings, the log, and the database or the API."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.database import Database, open_database
from app.logs import set_up_logs
from app.places import Places, places_of
from app.settings import Settings, read
from cli.begin import check_database_is_meant, read_and_say, read_for_either, warn
from cli.files_here import FilesHere
from cli.options import context as context_option
from services.client import Client
from services.use_cases import FileUseCases, UseCases


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Args:
        settings: checked.
        places: where database and storage are, or the API, in words.
        place: of the database, or of the API, for messages.
        client: the use cases; it connects at the first one.
        files: those that touch stored files.
    """

    settings: Settings
    places: Places
    place: str
    client: UseCases
    files: FileUseCases

    @property
    def pool(self) -> str:
        """The pool of new jobs; empty for the one that the API has for those that name none."""
        said = self.places.api is None or "pool" in self.settings.model_fields_set
        return self.settings.pool if said else ""


def begin() -> Settings:
    """The settings and the log of a command that says itself which database it is about.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen())
    check_database_is_meant(reading)
    warn(reading)
    settings = reading.checked()
    set_up_logs(settings)
    return settings


def read_and_log(logger: logging.Logger) -> tuple[Settings, Places]:
    """As `read_and_say`, for a program that runs for long: what it works on is in its log, embedded or not."""
    reading = read(context_option.chosen())
    check_database_is_meant(reading)
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
def session(*, patient: bool = True) -> Iterator[Session]:
    """Settings, log, and the database or the API for one command.

    Args:
        patient: wait for an API that says that it is too busy, or away for now; else that is an error at once.

    Raises:
        Misconfigured: a setting is wrong.
    """
    settings, places, key = read_for_either()
    set_up_logs(settings)
    if places.api is not None:
        from remote.client import RemoteClient
        from remote.connection import Patience
        from remote.files import RemoteFiles

        with RemoteClient(places.api, key, Patience() if patient else Patience(again=0)) as remote:
            yield Session(settings, places, places.api, remote, RemoteFiles(remote))
        return
    with open_database(settings) as database, Client.connect(database.conninfo, refusing=True) as client:
        yield Session(settings, places, database.place, client, FilesHere(client, settings))


@contextmanager
def migrated_database() -> Iterator[Database]:
    """The database for a command that brings it to the schema of this version."""
    settings, _ = read_and_say()
    set_up_logs(settings)
    with open_database(settings, migrated=True) as database:
        yield database
