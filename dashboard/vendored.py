"""The files of others that pages load, with their licences, as the lock beside them has it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Vendored:
    """A file of others.

    Args:
        text: of the licence.
    """

    file: str
    package: str
    version: str
    licence: str
    text: str


@cache
def vendored() -> Sequence[Vendored]:
    """All of them; read once."""
    folder = files(__package__).joinpath("static")
    locked = tomllib.loads(folder.joinpath("vendor.lock").read_text(encoding="utf-8"))["file"]
    return [
        Vendored(
            one["file"], one["package"], one["version"], one["licence"],
            folder.joinpath("vendor", one["licence_file"]).read_text(encoding="utf-8"),
        )
        for one in locked
    ]  # fmt: skip
