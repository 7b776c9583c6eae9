"""The files that pages load: style, scripts, and libraries of others, each at an address with its hash.

A file that changes has another address, so browsers keep each for ever, and never mix those of two versions.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file.

    Args:
        name: without folders.
        digest: the first digits of its SHA-256.
        media_type: by the end of its name.
    """

    name: str
    content: bytes
    digest: str
    media_type: str

    @property
    def href(self) -> str:
        """Its address."""
        return f"/static/{self.digest}/{self.name}"


@cache
def static_files() -> Mapping[str, StaticFile]:
    """All of them, by name; read once."""
    return {file.name: file for file in _read(files(__package__).joinpath("static"))}


def _read(folder: Traversable) -> Iterator[StaticFile]:
    for one in folder.iterdir():
        media_type = next((kind for end, kind in _TYPES.items() if one.name.endswith(end)), None)
        if one.is_dir():
            yield from _read(one)
        elif media_type is not None:
            content = one.read_bytes()
            yield StaticFile(one.name, content, hashlib.sha256(content).hexdigest()[:_DIGITS], media_type)
