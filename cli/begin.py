"""Every command begins here: it reads its settings, and warns on stderr."""

from app.places import Places, places_of
from app.settings import Reading, Settings, read
from cli import context_option, output


def settings_without_database() -> Settings:
    """The settings of a command that needs no database: no secret is read for it, and only limits are warned about.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen(), secrets=False)
    warn(reading, "LIMIT_")
    return reading.checked()


def read_and_say() -> tuple[Settings, Places]:
    """The settings of a command that works on the database. An embedded one is named on stderr before it starts.

    Raises:
        Misconfigured: a setting is wrong.
    """
    reading = read(context_option.chosen())
    warn(reading)
    settings, places = reading.checked(), places_of(reading)
    if places.embedded:
        output.said_no(f"database: {places.database_in_words}")
    return settings, places


def warn(reading: Reading, about: str = "") -> None:
    """Says what may be a mistake in the settings, about those whose variables begin like this."""
    for doubt in reading.doubts:
        if doubt.about.startswith(about):
            output.said_no(doubt.text)
