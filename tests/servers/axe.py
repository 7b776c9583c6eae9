"""axe-core, which finds what keeps people with a screen reader or a keyboard out of a page; it is no part of us."""

from pathlib import Path

from supply.vendor import Vendored, fetch
from tests.cluster.paths import cached

_AXE = Vendored(
    file="axe.min.js",
    package="axe-core",
    version="4.12.1",
    member="package/axe.min.js",
    integrity="sha512-s7iGf5GaVMxEG0ENN9x+xTr7GFZCb1ZP/1uATUpCEK2X78nDB3RwbtFCo9pGAf9ru+VwoQ464DkaLEeRM08wJA==",
    sha384="2507a0457aba1214e25a818f1439aa6c936c0e8c390684ac1a19da783cc6a7eab23850ae319676e2a6367f3dc5c59179",
    licence="MPL-2.0",
    licence_file="",
)


def script() -> Path:
    """The file that a page runs.

    Raises:
        NotPrepared: it is not there, and this process may not fetch it.
        OSError, ValueError: it cannot be fetched, or is another one.
    """
    return cached(f"axe-core-{_AXE.version}", _fetch) / _AXE.file


def _fetch(folder: Path) -> None:
    (folder / _AXE.file).write_bytes(fetch(_AXE))
