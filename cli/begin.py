"""Every command begins here: it reads its settings, and warns on stderr."""

import sys

from app.places import Places, places_by, places_of
from app.settings import Reading, Settings, read
from app.settings.kinds import api_key
from app.settings.reading import ChosenBy, Source
from app.settings.secrets import SecretFile, SecretUnknown
from cli.options import context as context_option
from cli.screen import output
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured


def settings_without_database() -> Settings:
    """The settings of a command that needs no database: no secret is read for it, and only limits are warned about.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen(), secrets=False)
    warn(reading, "LIMIT_")
    return reading.checked()


def read_and_say() -> tuple[Settings, Places]:
    """The settings of a command that works on the database.

    Stderr names the database if the command line and the environment do not: an embedded one always, and on a terminal
    also the one of the context that the config file chooses.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen())
    check_database_is_meant(reading)
    return _said(reading)


def read_for_either() -> tuple[Settings, Places, str | None]:
    """The settings of a command that asks the database, or the API if there is one; the key for that is the last.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen())
    address = api_of(reading)
    if address is None:
        return *_said(reading), None
    warn(reading)
    settings = reading.checked()
    places = places_by(reading, address)
    if _is_out_of_sight(reading) and sys.stderr.isatty():
        output.said_no(f"context {places.context}: the API at {address}")
    return settings, places, key_of(settings)


def api_of(reading: Reading) -> str | None:
    """The address of the API that commands ask; None for the database."""
    return None if context_option.is_direct() else reading.settings.affirm_worker_api


def key_of(settings: Settings) -> str | None:
    """The key for the API; raises Misconfigured if its file cannot be read, or has none."""
    if settings.affirm_worker_key is not None or settings.affirm_worker_key_file is None:
        return settings.affirm_worker_key
    try:
        return api_key(SecretFile(settings.affirm_worker_key_file.expanduser()).read())
    except (SecretUnknown, ValueError, RuntimeError) as error:
        said = str(error) if isinstance(error, SecretUnknown) else "the file has no key"
        raise Misconfigured(f"AFFIRM_WORKER_KEY_FILE: {said}", Reason.CONFIG) from None


def check_database_is_meant(reading: Reading) -> None:
    """Raises Misconfigured if the settings name an API, of a command that only a database can answer."""
    address = api_of(reading)
    if address is not None:
        place = "the embedded database" if reading.settings.database_url is None else "the database"
        raise Misconfigured(
            f"this command needs the database itself, and the settings name the API at {address}: --direct takes"
            f" {place} instead",
            Reason.CONFIG,
        )


def _said(reading: Reading) -> tuple[Settings, Places]:
    warn(reading)
    settings, places = reading.checked(), places_of(reading)
    if places.embedded:
        output.said_no(f"database: {places.database_in_words}")
    elif _is_out_of_sight(reading) and sys.stderr.isatty():
        output.said_no(f"context {places.context}: {places.database_in_words}")
    return settings, places


def _is_out_of_sight(reading: Reading) -> bool:
    """Whether the database, or the API, is that of the context which the config file chooses."""
    by = None if reading.context is None else reading.context.chosen_by
    name = "database_url" if api_of(reading) is None else "affirm_worker_api"
    return by is ChosenBy.CURRENT and reading.origins[name].source is Source.CONTEXT


def warn(reading: Reading, about: str = "") -> None:
    """Says what may be a mistake in the settings, about those whose variables begin like this."""
    for doubt in reading.doubts:
        if doubt.about.startswith(about):
            output.said_no(doubt.text)
