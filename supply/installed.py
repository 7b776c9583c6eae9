"""The packages of a lock file, as they are installed here, and the libraries that their wheels carry along."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = {"affirm-worker": "controller.txt", "affirm-parser-runner": "runner.txt"}
"""The images, and the lock file of each, in `requirements`."""

_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)([^\\\n]*)((?:\\\n\s+--hash=sha256:[0-9a-f]{64}\s*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A package of a lock file.

    Args:
        hashes: SHA-256 of its files, any of which an installation may take.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()

    @property
    def metadata(self) -> Distribution:
        """The package that is installed here; of another version if the lock file is newer."""
        return distribution(self.name)


@dataclass(frozen=True, slots=True)
class Bundled:
    """A library that a wheel carries along, and that no scanner of packages sees.

    Args:
        package: that carries it.
        name: of the library, or the name of its file if nobody says more.
        version: as it says itself; empty if it does not.
        path: of its file, as it is installed here.
    """

    package: str
    name: str
    version: str
    path: Path


def locked(file: str) -> list[Pinned]:
    """The packages of a lock file, by name; those of Linux."""
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    found = (
        Pinned(match[1], match[2], tuple(re.findall("sha256:([0-9a-f]{64})", match[4])))
        for match in _PIN.finditer(text)
        if "win32" not in match[3]
    )
    return sorted(found, key=lambda one: one.name)


def licence(package: Pinned) -> str:
    """As its metadata say: an SPDX expression, or a classifier, or the author's words."""
    told = package.metadata.metadata
    first = {name: str(told[name]).strip() for name in ("License-Expression", "License") if name in told}
    if "License-Expression" in first:
        return first["License-Expression"]
    classifiers = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License")]
    said = first.get("License", "")
    return said if said and len(said) < 60 and "\n" not in said else ", ".join(classifiers) or "not said"


def bundled(package: Pinned) -> Iterator[Bundled]:
    """The shared libraries in its wheel that are not its own code."""
    for file in sorted(package.metadata.files or (), key=str):
        if ".libs/" in str(file):
            path = Path(str(file.locate()))
            name, version = _named(path)
            yield Bundled(package.name, name, version, path)


def _named(path: Path) -> tuple[str, str]:
    """What a library is and of which version; libpq and OpenSSL say so themselves."""
    stem = re.match(r"(lib[\w+]+?)(?:-[0-9a-f]{8})?\.so", path.name)
    name = stem[1] if stem else path.name
    if name == "libpq":
        number = int(ctypes.CDLL(str(path)).PQlibVersion())
        return "libpq", f"{number // 10_000}.{number % 10_000}"
    if name == "libcrypto":
        said = ctypes.CDLL(str(path)).OpenSSL_version
        said.restype = ctypes.c_char_p
        return "OpenSSL", said(0).decode().split()[1]
    return name, ""
