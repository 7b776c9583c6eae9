"""Every command begins here: it reads its settings, and warns on stderr."""

import sys

from app.places import Places, places_of
from app.settings import Reading, Settings, read
from app.settings.reading import ChosenBy, Source
from cli.options import context as context_option
from cli.screen import output


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
    warn(reading)
    settings, places = reading.checked(), places_of(reading)
    if places.embedded:
        output.said_no(f"database: {places.database_in_words}")
    elif _is_out_of_sight(reading) and sys.stderr.isatty():
        output.said_no(f"context {places.context}: {places.database_in_words}")
    return settings, places


def _is_out_of_sight(reading: Reading) -> bool:
    """Whether the database is that of the context which the config file chooses."""
    by = None if reading.context is None else reading.context.chosen_by
    return by is ChosenBy.CURRENT and reading.origins["database_url"].source is Source.CONTEXT


def warn(reading: Reading, about: str = "") -> None:
    """Says what may be a mistake in the settings, about those whose variables begin like this."""
    for doubt in reading.doubts:
        if doubt.about.startswith(about):
            output.said_no(doubt.text)
