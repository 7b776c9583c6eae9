"""Descriptions as TOML: reading it with the line of each part, which tomllib does not give, and writing it."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from dataset_jobs.model.columns_text import Path, Places
from dataset_jobs.model.description_parts import PLAIN_KEYS, InvalidDescription

_TABLE = re.compile(r"\[(\[?)[ \t]*([A-Za-z0-9_-]+)")
_KEY = re.compile(r"""["']?([A-Za-z0-9_-]+)["']?(?:[ \t]*\.[ \t]*["']?([A-Za-z0-9_-]+)["']?)?[ \t]*=""")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_ORDER = (*PLAIN_KEYS, "columns", "sexes", "left_out", "sheets", "blocks")


def read_toml(text: str) -> tuple[dict[str, Any], Places]:
    """The document, and the line of each key.

    Raises:
        InvalidDescription: this is no TOML.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDescription([_in_words(str(error))]) from None
    except RecursionError:
        raise InvalidDescription(["the description is nested too deeply"]) from None
    return document, _lines(text)


def toml_text(document: Mapping[str, Any], comments: Mapping[Path, Sequence[str]] | None = None) -> str:
    """A document as TOML, with comments over keys, or over tables."""
    comments = comments or {}
    lines = [f"# {line}" for line in comments.get((), [])]

    def pairs(values: Mapping[str, Any], path: Path) -> None:
        for key, value in values.items():
            lines.extend(f"# {line}" for line in comments.get((*path, key), []))
            # The texts of JSON are texts of TOML, too.
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")

    pairs({key: document[key] for key in PLAIN_KEYS if key in document}, ())
    for key in _ORDER:
        value = document.get(key)
        if isinstance(value, dict):
            lines += ["", *(f"# {line}" for line in comments.get((key,), [])), f"[{key}]"]
            pairs(value, (key,))
        elif isinstance(value, list):
            for index, part in enumerate(value):
                lines += ["", *(f"# {line}" for line in comments.get((key, index), [])), f"[[{key}]]"]
                pairs(part, (key, index))
    return "\n".join(lines).strip("\n") + "\n"


def _lines(text: str) -> dict[Path, str]:
    """The line of each key of a valid document, as far as simple layouts go: the first of its name counts."""
    places: dict[Path, str] = {}
    counts: dict[str, int] = {}
    table: Path = ()
    for number, line in enumerate(text.split("\n"), 1):
        place = f"line {number}"
        if found := _TABLE.match(line.lstrip(" \t")):
            table = (found[2],)
            if found[1]:
                places.setdefault(table, place)
                table = (found[2], counts.get(found[2], 0))
                counts[found[2]] = counts.get(found[2], 0) + 1
            places.setdefault(table, place)
        elif found := _KEY.match(line.lstrip(" \t")):
            keys = [key for key in found.groups() if key]
            places.setdefault((*table, *keys), place)
            places.setdefault((*table, keys[0]), place)
    return places


def _in_words(error: str) -> str:
    """An error of tomllib, its place first. It quotes at most one character."""
    found = _POSITION.search(error)
    if found is None:
        return f"no TOML: {error}"
    place = f"line {found[1]}, character {found[2]}" if found[1] else "at the end"
    return f"{place}: no TOML: {error[: found.start()]}"
