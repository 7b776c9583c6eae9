"""`make vendor`: fetches the files of others that pages load, as `vendor.lock` has them, and compares every hash.

Nothing is built and nothing is resolved: a file is what its publisher has put into the package of npm.
"""

import base64
import hashlib
import sys
import tarfile
import tomllib
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from supply.installed import ROOT

FOLDER = ROOT / "dashboard" / "static" / "vendor"
LOCK = ROOT / "dashboard" / "static" / "vendor.lock"
REGISTRY = "https://registry.npmjs.org"


class Vendored(NamedTuple):
    """A file of others.

    Args:
        file: its name here.
        package, version: of npm.
        member: its path in the package.
        integrity: of the package, as npm writes it.
        sha384: of the file, in hexadecimal digits.
        licence: its SPDX identifier.
        licence_file: the licence's text, beside the file.
    """

    file: str
    package: str
    version: str
    member: str
    integrity: str
    sha384: str
    licence: str
    licence_file: str

    @property
    def address(self) -> str:
        """Where the package is."""
        name = self.package.rpartition("/")[2]
        return f"{REGISTRY}/{self.package}/-/{name}-{self.version}.tgz"


def vendored() -> list[Vendored]:
    """What the lock has."""
    return [Vendored(**one) for one in tomllib.loads(LOCK.read_text(encoding="utf-8"))["file"]]


def hash_of(content: bytes) -> str:
    """The hash of a file, as the lock has it."""
    return hashlib.sha384(content).hexdigest()


def fetch(one: Vendored) -> bytes:
    """The file, from its package.

    Raises:
        ValueError: the package or the file is another one.
    """
    with urlopen(one.address, timeout=60) as answer:
        package = answer.read()
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if one.integrity != f"sha512-{digest}":
        raise ValueError(f"{one.address} is another package than the one of {LOCK.name}")
    with tarfile.open(fileobj=BytesIO(package)) as archive:
        member = archive.extractfile(one.member)
        content = b"" if member is None else member.read()
    if hash_of(content) != one.sha384:
        raise ValueError(f"{one.member} of {one.address} is another file than the one of {LOCK.name}")
    return content


def main() -> None:
    """Writes the files that are not here as the lock has them."""
    for one in vendored():
        path = FOLDER / one.file
        if not Path(path).exists() or hash_of(path.read_bytes()) != one.sha384:
            path.write_bytes(fetch(one))
            sys.stdout.write(f"fetched {one.file} of {one.package} {one.version}\n")


if __name__ == "__main__":
    main()
