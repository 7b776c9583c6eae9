"""Changes the config file as a person would: a line of its text, with everything else as it was, comments too.

`current` is a line of this file, not a file of its own: one file then says all, and a copy of it is complete. Each
change is checked before it is written: the new text must have the old values, but for the change. If it has not, only a
person can edit this layout.
"""

import contextlib
import copy
import fcntl
import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app import locks
from app.settings.config_file import ConfigFile, config_path, read_config, table_of
from app.settings.near_misses import nearest
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line

_CURRENT = re.compile(r"""([ \t]*["']?current["']?[ \t]*=[ \t]*)(?:"(?:[^"\\]|\\.)*"|'[^']*')(.*)""", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)

Document = dict[str, Any]


def use(name: str | None) -> Path:
    """Makes a context the current one, or none; returns the file.

    Raises:
        InvalidRequest: there is no such context.
        Misconfigured: the file cannot be read, or not be written.
    """

    def document(config: ConfigFile, said: Document) -> None:
        if name is None:
            said.pop("current", None)
        else:
            _check_is_there(config, name)
            said["current"] = name

    return _change(lambda config: _with_current(config, name), document)


def add(name: str, values: Mapping[str, Any]) -> Path:
    """Adds a context at the end; returns the file.

    Args:
        name: of the context.
        values: by setting, checked already: a text, or `command` or `file` with its value.

    Raises:
        InvalidRequest: there is a context of that name, or the name is not allowed.
        Misconfigured: the file cannot be read, or not be written.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"context '{one_line(name)}': letters, digits, - and _ are allowed, at most 63 of them")

    def text(config: ConfigFile) -> str:
        pairs = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
        before = config.text.rstrip("\n")
        return f"{before}\n\n[contexts.{name}]\n{pairs}" if before else f"[contexts.{name}]\n{pairs}"

    def document(config: ConfigFile, said: Document) -> None:
        if name in config.names:
            raise InvalidRequest(f"there is a context {name} already: {config.at('contexts', name)}")
        said.setdefault("contexts", {})[name] = dict(values)

    return _change(text, document)


def remove(name: str) -> Path:
    """Removes a context, with the comments inside it; returns the file. If it is the current one, none is after that.

    Raises:
        InvalidRequest: there is no such context.
        Misconfigured: the file cannot be read, or not be written.
    """

    def text(config: ConfigFile) -> str:
        return _without_table(_with_current(config, None) if config.current == name else config.text, name)

    def document(config: ConfigFile, said: Document) -> None:
        _check_is_there(config, name)
        del said["contexts"][name]
        if not said["contexts"]:
            del said["contexts"]
        if config.current == name:
            del said["current"]

    return _change(text, document)


def _check_is_there(config: ConfigFile, name: str) -> None:
    if name not in config.names:
        near = nearest(name, config.names)
        hint = f"did you mean {near}?" if near else f"{config.path} has {', '.join(config.names) or 'none'}"
        raise InvalidRequest(f"there is no context '{one_line(name)}': {hint}")


def _with_current(config: ConfigFile, name: str | None) -> str:
    lines = _lines(config.text)
    at = config.line("current")
    if at is None:
        return config.text if name is None else f"current = {_toml(name)}\n{config.text}"
    found = _CURRENT.match(lines[at - 1])
    if found:
        lines[at - 1] = "" if name is None else f"{found[1]}{_toml(name)}{found[2]}"
    return "".join(lines)


def _without_table(text: str, name: str) -> str:
    """The text without the tables of a context. Comments over the next table stay: they are about that."""
    lines = _lines(text)
    tables = [(at, table) for at, line in enumerate(lines) if (table := table_of(line)) is not None]
    ends = [*(at for at, _ in tables[1:]), len(lines)]
    for (start, table), end in reversed([*zip(tables, ends, strict=False)]):
        if table[:2] == ("contexts", name):
            last = max(at for at in range(start, end) if lines[at].strip() and not lines[at].lstrip().startswith("#"))
            del lines[start : last + 1]
    return "".join(lines)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _toml(value: Any) -> str:
    """A text, or a table of one key, as TOML: the texts and lists of JSON are those of TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {json.dumps(one, ensure_ascii=False)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _change(text: Callable[[ConfigFile], str], document: Callable[[ConfigFile, Document], None]) -> Path:
    """Writes the file anew, in one moment, while nobody else does.

    Args:
        text: the new text.
        document: changes the values in the way that the text is to change them; raises InvalidRequest.
    """
    path, _ = config_path()
    if path is None:
        raise Misconfigured(
            "there is no home folder for a config file: set AFFIRM_WORKER_CONFIG to a path", Reason.CONFIG
        )
    try:
        target = path.resolve()  # a link to it stays one
        if target.exists() and not target.is_file():
            raise Misconfigured(f"{path} is no file that could be changed: set AFFIRM_WORKER_CONFIG", Reason.CONFIG)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.with_name(f".{target.name}.lock").open("a") as lock:
            locks.take(lock, fcntl.LOCK_EX, f"is changing {path}")
            config = (read_config() if target.exists() else None) or ConfigFile(path)
            said = copy.deepcopy(dict(config.document))
            document(config, said)
            changed = text(config)
            if not _says(changed, said):
                raise Misconfigured(f"{path}: its layout is one that only a person can change: edit it", Reason.CONFIG)
            _write(target, changed)
    except OSError as error:
        if not is_about_the_path(error):
            raise machine_error(error, f"change {path}") from None
        raise Misconfigured(f"{path}: {error.strerror}; it is unchanged", Reason.CONFIG) from None
    return path


def _says(text: str, document: Document) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _write(target: Path, text: str) -> None:
    """All of it or nothing: every reader finds the old file or the new one, also after a crash."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o600
    new = target.with_name(f".{target.name}.new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
