"""The settings as people and programs see them: each with its value, its origin and its meaning, without passwords."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.settings.config_file import Entry
from app.settings.fields import Settings, allowed, default_in_words, is_secret
from app.settings.kinds import hidden, without_login
from app.settings.reading import Reading, Source
from dataset_jobs.model.durations import format_duration


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting.

    Args:
        name: of its variable.
        value: as text, and without a password; None if it has none, or a wrong one.
        source: where the value is from.
        context, file, line: for one of a context.
        from_secret: the command or the file that the value was read from, in words.
        default: in words.
        allowed: the values that it may have, in words.
        purpose: a sentence or two.
        error: the mistake in it.
    """

    name: str
    value: str | None
    source: Source
    context: str | None
    file: Path | None
    line: int | None
    from_secret: str | None
    default: str
    allowed: str
    purpose: str
    error: str | None


def setting_views(reading: Reading) -> Iterator[SettingView]:
    """Every setting, in the order of the documentation."""
    for name, field in Settings.model_fields.items():
        origin, error = reading.origins[name], reading.problems.get(name)
        yield SettingView(
            name.upper(),
            None if error else shown(name, getattr(reading.settings, name)),
            origin.source,
            origin.context,
            origin.file,
            origin.line,
            origin.from_secret,
            default_in_words(field),
            allowed(field),
            field.description or "",
            error,
        )


def shown(name: str, value: Any) -> str | None:
    """A value as it is written in the environment, without a password or a key."""
    if value is None or value == "":
        return None
    if is_secret(Settings.model_fields[name]):
        return hidden(name, value)
    if isinstance(value, tuple):
        return ",".join(map(format_duration, value))
    return format_duration(value) if isinstance(value, timedelta) else without_login(str(value))


def shown_entry(name: str, entry: Entry) -> str:
    """A value of a context as the config file has it, without a password; no command is run for it."""
    if not isinstance(entry.value, str):
        return f"from {entry.value}"
    return hidden(name, entry.value) if is_secret(Settings.model_fields[name]) else without_login(entry.value)
