"""Builds Go commands from the pinned modules under go/ into the cache."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.cluster import go_toolchain
from tests.cluster.paths import cached

MODULES = Path(__file__).parent / "go"
Kept = Mapping[str, tuple[str, tuple[str, ...]]]
"""A folder's name, and the module whose files with such paths go into it."""


def build(module: str, version: str, packages: list[str], ldflags: str = "", kept: Kept = MappingProxyType({})) -> Path:
    """The folder with the built commands of one module, from the cache, or built now if that is allowed.

    Args:
        module: a folder under go/ with go.mod and go.sum, the only inputs of the build.
        version: names the cache folder, `<module>-<version>`.
        packages: the import paths of the commands.
        ldflags: more linker flags, such as -X for a version.
        kept: files of modules that go beside the commands.

    Raises:
        NotPrepared: they are not built, and this process may not build.
        Unavailable: there is no Go that can build it.
        subprocess.CalledProcessError: the build failed; its output went to standard error.
    """

    def make(folder: Path) -> None:
        _build(folder, module, packages, ldflags)
        for name, (source, patterns) in kept.items():
            _keep(folder / name, module, source, patterns)

    return cached(f"{module}-{version}", make)


def _keep(folder: Path, module: str, source: str, patterns: tuple[str, ...]) -> None:
    """Copies files of a module that the build has downloaded."""
    listed = [go_toolchain.command(MODULES / module), "list", "-m", "-f", "{{.Dir}}", source]
    done = subprocess.run(listed, cwd=MODULES / module, env=_environment(), stdout=subprocess.PIPE, check=True)
    folder.mkdir()
    for pattern in patterns:
        for file in sorted(Path(done.stdout.decode().strip()).glob(pattern)):
            shutil.copyfile(file, folder / file.name)


def _environment() -> dict[str, str]:
    # Without cgo the result depends on neither the machine's C compiler nor its libc.
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


def _build(folder: Path, module: str, packages: list[str], ldflags: str) -> None:
    go = go_toolchain.command(MODULES / module)
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags=-s -w {ldflags}"]
    subprocess.run(
        [*command, "-o", f"{folder}/", *packages],
        cwd=MODULES / module,
        env=_environment(),
        stdout=sys.stderr,
        check=True,
    )
