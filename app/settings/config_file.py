"""The config file: named contexts, each with values of settings. Only the command line reads it, never a runner."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from app.settings.fields import Settings
from app.settings.kinds import holds_secret
from app.settings.near_misses import nearest
from app.settings.secrets import SecretCommand, SecretFile, secret_of
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.text import one_line

CONFIG_VARIABLE: Final = "AFFIRM_WORKER_CONFIG"
CONTEXT_VARIABLE: Final = "AFFIRM_WORKER_CONTEXT"

SHORT_NAMES: Final = {"api": "affirm_worker_api", "key": "affirm_worker_key"}
"""Settings that have another name in contexts."""

_MOST_BYTES = 1 << 20
_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_PATH = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_TABLE = re.compile(rf"[ \t]*\[[ \t]*({_PATH})[ \t]*\]")
_PAIR = re.compile(rf"[ \t]*({_PATH})[ \t]*=")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

KeyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a context, as text or as the place that has it.

    Args:
        value: what the setting is read from, as from a variable.
        line: of the file; None if the layout hides it.
    """

    value: str | SecretCommand | SecretFile = field(repr=False)
    line: int | None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config file as it was read.

    Args:
        path: of the file.
        text: all of it.
        document: the same as values; `contexts` is a mapping of mappings, and `current` a text, if they are there.
        lines: the line of each key, as far as simple layouts go.
        open_to_others: somebody else than the owner may read it.
        writable_by_all: every user of the machine may change it.
    """

    path: Path
    text: str = field(default="", repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    open_to_others: bool = False
    writable_by_all: bool = False

    @property
    def current(self) -> str | None:
        """The context that `current` names."""
        return self.document.get("current")

    @property
    def names(self) -> tuple[str, ...]:
        """The contexts, in the file's order."""
        return tuple(self.document.get("contexts", {}))

    def context(self, name: str) -> dict[str, Entry]:
        """The values of a context by setting; raises Misconfigured for what no setting is."""
        contexts = self.document.get("contexts", {})
        if name not in contexts:
            there = f"{self.path} has {', '.join(self.names)}" if contexts else f"{self.path} has none"
            near = nearest(name, self.names)
            hint = f"did you mean {near}? " if near else ""
            raise Misconfigured(f"there is no context '{one_line(name)}': {hint}{there}", Reason.CONFIG)
        return {SHORT_NAMES.get(key, key): self._entry(name, key, value) for key, value in contexts[name].items()}

    def line(self, *path: str) -> int | None:
        """The line of a key."""
        return self.lines.get(path)

    def at(self, *path: str) -> str:
        """The place of a key for messages: the file and, if it is known, the line."""
        line = self.line(*path)
        return f"{self.path}:{line}" if line else str(self.path)

    def has_plain_password(self) -> bool:
        """Whether a password is in the file itself."""
        return any(
            isinstance(value, str) and holds_secret(SHORT_NAMES.get(name, name), value)
            for context in self.document.get("contexts", {}).values()
            for name, value in context.items()
        )

    def _entry(self, context: str, key: str, value: Any) -> Entry:
        place = ("contexts", context, key)
        if SHORT_NAMES.get(key, key) not in Settings.model_fields:
            near = nearest(key, Settings.model_fields)
            hint = f"did you mean {near}?" if near else "docs/settings.md lists all"
            self.refuse(place, f"context {context}: {one_line(key)} is not a setting; {hint}")
        if isinstance(value, bool):
            return Entry(str(value).lower(), self.line(*place))
        if isinstance(value, str | int | float):
            return Entry(str(value), self.line(*place))
        if secret := secret_of(value, self.path.parent):
            return Entry(secret, self.line(*place))
        self.refuse(
            place,
            f"context {context}: {key} has no value that a setting can have; allowed: a text, a number,"
            ' {command = ["program", "argument"]} or {file = "path"}',
        )

    def refuse(self, place: KeyPath, what: str) -> NoReturn:
        """Raises Misconfigured about a key."""
        raise Misconfigured(f"{self.at(*place)}: {what}", Reason.CONFIG)


def config_path() -> tuple[Path | None, bool]:
    """Where the config file is, or would be, and whether somebody has named it; None without a home folder."""
    if named := os.environ.get(CONFIG_VARIABLE):
        try:
            return Path(named).expanduser().absolute(), True
        except (RuntimeError, OSError):
            return Path(named), True
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    if not folder.is_absolute():  # as XDG has it, a relative one counts as unset
        try:
            folder = Path.home() / ".config"
        except RuntimeError:
            return None, False
    return (folder / "affirm-worker" / "config.toml" if folder.is_absolute() else None), False


def read_config() -> ConfigFile | None:
    """The config file; None if there is none and nobody has named one.

    Raises:
        Misconfigured: it cannot be read, is no TOML, or has a key that nothing knows.
    """
    path, named = config_path()
    if path is None:
        return None
    if not named:
        try:
            path.stat()
        except OSError:  # there is none, or the folders above are somebody else's
            return None
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "a NUL in its name"
        variable = f"{CONFIG_VARIABLE} " if named else ""
        raise Misconfigured(f"{variable}{one_line(str(path))}: {why}", Reason.CONFIG) from None
    return parse_config(path, content, mode)


def parse_config(path: Path, content: bytes, mode: int = 0o600) -> ConfigFile:
    """A config file of these bytes and this mode; raises Misconfigured."""
    if len(content) > _MOST_BYTES:
        raise Misconfigured(f"{path}: more than {_MOST_BYTES} bytes are no config file", Reason.CONFIG)
    try:
        text = content.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{path}:{line}: it is not UTF-8", Reason.CONFIG) from None
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        said = _POSITION.sub("", str(error))
        raise Misconfigured(f"{path}:{line}: this is no TOML: {one_line(said)}", Reason.CONFIG) from None
    except RecursionError:
        raise Misconfigured(f"{path}: it is nested too deeply", Reason.CONFIG) from None
    config = ConfigFile(path, text, document, _lines(text), bool(mode & 0o044), bool(mode & 0o002))
    _check(config)
    return config


def _check(config: ConfigFile) -> None:
    """Refuses keys that nothing knows, and values of the wrong kind."""
    for key in config.document.keys() - {"current", "contexts"}:
        near = nearest(key, ["current", "contexts"])
        hint = f"did you mean {near}?" if near else "allowed: current and [contexts.NAME]"
        if key in Settings.model_fields:
            hint = "settings belong into a context, such as [contexts.default]"
        config.refuse((key,), f"unknown key {one_line(key)}; {hint}")
    if not isinstance(config.document.get("current", ""), str):
        config.refuse(("current",), "current must be the name of a context")
    contexts = config.document.get("contexts", {})
    if not isinstance(contexts, dict):
        config.refuse(("contexts",), "contexts must be tables, such as [contexts.default]")
    for name, context in contexts.items():
        if not isinstance(context, dict):
            config.refuse(("contexts", name), f"context {one_line(name)} must be a table: [contexts.NAME]")


def _lines(text: str) -> dict[KeyPath, int]:
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.split("\n"), 1):
        if found := _TABLE.match(line):
            table = key_path(found[1])
            path = table
        elif found := _PAIR.match(line):
            path = (*table, *key_path(found[1]))
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def table_of(line: str) -> KeyPath | None:
    """The table whose heading a line is; None if it is no heading."""
    found = _TABLE.match(line)
    return key_path(found[1]) if found else None


def key_path(dotted: str) -> KeyPath:
    """The parts of a key as TOML writes it."""
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted))
