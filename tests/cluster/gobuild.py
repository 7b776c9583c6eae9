"""Builds Go commands from the pinned modules under go/ into the cache."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster import go_toolchain
from tests.cluster.paths import cached

MODULES = Path(__file__).parent / "go"


def build(module: str, version: str, packages: list[str], ldflags: str = "") -> Path:
    """The folder with the built commands of one module, from the cache, or built now if that is allowed.

    Args:
        module: a folder under go/ with go.mod and go.sum, the only inputs of the build.
        version: names the cache folder, `<module>-<version>`.
        packages: the import paths of the commands.
        ldflags: more linker flags, such as -X for a version.

    Raises:
        NotPrepared: they are not built, and this process may not build.
        Unavailable: there is no Go that can build it.
        subprocess.CalledProcessError: the build failed; its output went to standard error.
    """
    return cached(f"{module}-{version}", lambda folder: _build(folder, module, packages, ldflags))


def _build(folder: Path, module: str, packages: list[str], ldflags: str) -> None:
    go = go_toolchain.command(MODULES / module)
    # Without cgo the result depends on neither the machine's C compiler nor its libc.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags=-s -w {ldflags}"]
    subprocess.run(
        [*command, "-o", f"{folder}/", *packages],
        cwd=MODULES / module,
        env=environment,
        stdout=sys.stderr,
        check=True,
    )
