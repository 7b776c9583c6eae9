"""Reads the settings: the environment first, then a context of the config file, then the defaults."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.settings.config_file import CONFIG_VARIABLE, CONTEXT_VARIABLE, ConfigFile, Entry, read_config
from app.settings.fields import Settings, allowed, is_secret
from app.settings.kinds import hidden, url_advice, without_login
from app.settings.near_misses import mistyped
from app.settings.secrets import SecretCommand, SecretFile, SecretUnknown
from dataset_jobs.host import check_user
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.text import one_line

URLS = ("database_url", "runner_database_url", "database_direct_url")

_STORAGE = tuple(name for name in Settings.model_fields if name.startswith("storage_"))
_API = ("affirm_worker_api", "affirm_worker_key", "affirm_worker_key_file")
_BELONGS_TO = (
    (("database_url", "affirm_worker_api"), _API),
    (("affirm_worker_key", "affirm_worker_key_file"), _API[1:]),
    (("database_url",), ("runner_database_url", "database_direct_url", "database_schema")),
    (("storage_type", "storage_path", "storage_s3_bucket"), _STORAGE),
)
"""If the environment has one of the first, it names another place: the context's others do not belong to that."""


class Source(StrEnum):
    """Where the value of a setting is from."""

    ENVIRONMENT = "environment"
    CONTEXT = "context"
    DEFAULT = "default"


class ChosenBy(StrEnum):
    """Who has chosen the context."""

    OPTION = "--context"
    VARIABLE = CONTEXT_VARIABLE
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Context:
    """The context in use.

    Args:
        entries: its values by setting.
    """

    name: str
    chosen_by: ChosenBy
    config: ConfigFile
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a setting is from.

    Args:
        file, line: of the context.
        from_secret: the command or the file that the value was read from, in words.
    """

    source: Source
    context: str | None = None
    file: Path | None = None
    line: int | None = None
    from_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be a mistake.

    Args:
        about: the variable of the setting that it is about.
        text: a sentence.
    """

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings as they were read.

    Args:
        settings: with the default in place of each wrong value.
        origins: where each value is from.
        problems: the mistakes by setting; `storage` for those of several settings together.
        context: the one in use, if any.
        doubts: what may be a mistake.
    """

    settings: Settings
    origins: Mapping[str, Origin]
    problems: Mapping[str, str]
    context: Context | None
    doubts: tuple[Doubt, ...]

    def checked(self) -> Settings:
        """The settings; raises Misconfigured with all that is wrong."""
        if self.problems:
            raise Misconfigured("; ".join(self.problems.values()), Reason.CONFIG)
        return self.settings


def read_settings(context: str | None = None, *, secrets: bool = True) -> Settings:
    """The settings, checked.

    Raises:
        Misconfigured: names every wrong one, its value and the allowed ones; never a password.
    """
    return read(context, secrets=secrets).checked()


def read(context: str | None = None, *, secrets: bool = True) -> Reading:
    """The settings with their origins, mistakes and doubts.

    Args:
        context: the one to use; None for that of AFFIRM_WORKER_CONTEXT, else the config file's current one.
        secrets: read those that a command or a file has; otherwise they count as unset.

    Raises:
        Misconfigured: the config file is wrong, or has no such context.
    """
    in_environment = {name.upper(): value for name, value in os.environ.items() if value}
    used = chosen_context(context)
    given = {name for name in Settings.model_fields if name.upper() in in_environment}
    entries = {name: entry for name, entry in (used.entries if used else {}).items() if _counts(name, given)}
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    origins = dict.fromkeys(Settings.model_fields, Origin(Source.DEFAULT))
    for name in given:
        origins[name] = Origin(Source.ENVIRONMENT)
    for name, entry in entries.items():
        assert used is not None
        secret = None if isinstance(entry.value, str) else entry.value
        if secret is not None and not secrets:
            continue
        origins[name] = Origin(
            Source.CONTEXT, used.name, used.config.path, entry.line, None if secret is None else str(secret)
        )
        try:
            text = entry.value if isinstance(entry.value, str) else _read(used.config, entry.value)
        except SecretUnknown as error:
            problems[name] = f"{_place(name, origins[name])}: {error}"
        else:
            if text:
                values[name] = text
            else:  # as an empty variable does
                origins[name] = Origin(Source.DEFAULT)
    settings, wrong = _validated(values, {*problems})
    for name in wrong:
        problems[name] = _wrong_value(name, values.get(name) or in_environment[name.upper()], origins[name])
    problems.update(_of_several(settings, {*problems}))
    return Reading(settings, origins, problems, used, tuple(_doubts(used, given)))


def _read(config: ConfigFile, secret: SecretCommand | SecretFile) -> str:
    if isinstance(secret, SecretCommand) and config.writable_by_all:
        raise SecretUnknown(f"{secret} is not run, since everybody can write the file: chmod o-w {config.path}")
    return secret.read()


def wrong_values(values: Mapping[str, str]) -> list[str]:
    """The mistakes in values that somebody wants to keep, a sentence each."""
    _, wrong = _validated({name: value for name, value in values.items() if value}, set())
    return [_wrong_value(name, values[name], Origin(Source.DEFAULT)) for name in wrong if name in values]


def chosen_context(given: str | None) -> Context | None:
    """The context in use; None if nobody has chosen one.

    Raises:
        Misconfigured: the config file is wrong, or has no such context.
    """
    config = read_config()
    name, by = given, ChosenBy.OPTION
    if not name:
        name, by = os.environ.get(CONTEXT_VARIABLE), ChosenBy.VARIABLE
    if not name:
        name, by = config.current if config else None, ChosenBy.CURRENT
    if not name:
        return None
    if config is None:
        raise Misconfigured(f"there is no context '{one_line(name)}', since there is no config file", Reason.CONFIG)
    try:
        return Context(name, by, config, config.context(name))
    except Misconfigured as error:
        if name in config.names or by is ChosenBy.OPTION:
            raise
        where = CONTEXT_VARIABLE if by is ChosenBy.VARIABLE else f"{config.at('current')}: current"
        raise Misconfigured(f"{where}: {error}", Reason.CONFIG) from None


def _counts(name: str, given: set[str]) -> bool:
    """Whether the context's value counts, beside those that the environment has given."""
    return name not in given and not any(given & {*first} and name in others for first, others in _BELONGS_TO)


def _validated(values: Mapping[str, str], unknown: set[str]) -> tuple[Settings, list[str]]:
    """The settings, and which of them are wrong and have their default instead."""
    defaults: dict[str, Any] = {name: _default(name) for name in unknown}
    try:
        return Settings(**{**values, **defaults}), []
    except ValidationError as error:
        wrong = [*dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_url=False))]
    return Settings(**{**values, **defaults, **{name: _default(name) for name in wrong}}), wrong


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)


def _wrong_value(name: str, value: str, origin: Origin) -> str:
    field = Settings.model_fields[name]
    shown = hidden(name, value) if is_secret(field) else repr(without_login(value))
    advice = url_advice(value) if name in URLS else ""
    return f"{_place(name, origin)} is {shown}; allowed: {allowed(field)}{advice}"


def _place(name: str, origin: Origin) -> str:
    """A setting as the user has written it."""
    if origin.source is not Source.CONTEXT:
        return name.upper()
    line = f":{origin.line}" if origin.line else ""
    return f"{origin.file}{line}: context {origin.context}: {name}"


def _of_several(settings: Settings, wrong: set[str]) -> Iterator[tuple[str, str]]:
    """What settings have wrong that are right one by one."""
    # What touches no file needs no home.
    if not settings.keeps_files_at_home and not wrong & {*_STORAGE}:
        try:
            _ = settings.storage
        except Misconfigured as error:
            yield "storage", str(error)
    for name in URLS:
        if url := getattr(settings, name):
            try:
                check_user(name.upper(), url)
            except Misconfigured as error:
                yield name, str(error)


def _doubts(used: Context | None, given: set[str]) -> Iterator[Doubt]:
    settings = {name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE, CONTEXT_VARIABLE}
    # One that a context sets may have been meant to be overridden.
    unset = settings - {name.upper() for name in given} - os.environ.keys()
    for variable, meant in mistyped(os.environ, settings, unset):
        yield Doubt(meant, f"{variable} is not a setting; did you mean {meant}?")
    if used is None:
        return
    if used.config.open_to_others and used.config.has_plain_password():
        path = used.config.path
        yield Doubt(CONFIG_VARIABLE, f"{path} holds a password, and others can read it: chmod 600 {path}")
    if used.chosen_by is ChosenBy.OPTION:
        for name in ("database_url", "storage_type", "storage_path", "storage_s3_bucket"):
            if name in given and name in used.entries:
                text = f"{name.upper()} of the environment is used, not that of context {used.name}"
                yield Doubt(name.upper(), text)
