"""The tools that build container images.

Docker's engine, or buildah with storage of its own in the cache folder, on a base image that is made from Debian
packages, so no image registry is needed. Only images.py calls them, and it asks first whether anything may be built.
"""

import subprocess
import sys
from pathlib import Path
from typing import Protocol

from tests.cluster import base_image, kind
from tests.cluster.packages import program
from tests.cluster.paths import cache_dir, locked


class Builder(Protocol):
    """A tool that builds images; its output goes to standard error.

    All but base() raise subprocess.CalledProcessError if the tool fails.
    """

    def base(self) -> str:
        """The name of an image with python3, its venv module and CA certificates, to build others on."""

    def build_base(self) -> None:
        """Have that image at hand."""

    def build(self, context: Path, tag: str, target: str | None, dockerfile: str, base: str) -> None:
        """Build an image; steps that were built before are not built again.

        Args:
            context: the folder that it is built from.
            tag: the image's full name, such as `localhost/affirm-worker:test`.
            target: the stage to build, None for the last.
            dockerfile: its name in the context.
            base: the image that it is built on.
        """

    def save(self, tag: str, file: Path) -> None:
        """Write an image as a docker-archive file."""


def builder() -> Builder:
    """The builder of this machine."""
    return Docker() if kind.why_not() is None else Buildah()


class Docker:
    """Builds with Docker's engine."""

    def base(self) -> str:
        """The official Python image."""
        return "python:3.13-slim"

    def build_base(self) -> None:
        """As Builder says."""
        kind.pull(self.base())

    def build(self, context: Path, tag: str, target: str | None, dockerfile: str, base: str) -> None:
        """As Builder says."""
        options = [f"--tag={tag}", f"--build-arg=BASE={base}", f"--file={context / dockerfile}"]
        if target:
            options.append(f"--target={target}")
        subprocess.run([program("docker"), "build", *options, context], stdout=sys.stderr, check=True)

    def save(self, tag: str, file: Path) -> None:
        """As Builder says."""
        subprocess.run([program("docker"), "save", f"--output={file}", tag], stdout=sys.stderr, check=True)


class Buildah:
    """Builds with buildah, as root and without a daemon."""

    def base(self) -> str:
        """A minimal Debian with Python, made here."""
        return f"localhost/affirm-test-base:{base_image.key()}"

    def build_base(self) -> None:
        """As Builder says."""
        with locked(cache_dir() / "base.lock"):
            command = [*self._command(), "images", "--quiet", self.base()]
            if not subprocess.run(command, capture_output=True, check=False).stdout:
                self._run("bud", f"--tag={self.base()}", base_image.folder())

    def build(self, context: Path, tag: str, target: str | None, dockerfile: str, base: str) -> None:
        """As Builder says."""
        options = ["--layers", f"--tag={tag}", f"--build-arg=BASE={base}", f"--file={context / dockerfile}"]
        if target:
            options.append(f"--target={target}")
        # chroot needs no privileges beyond root's own, so it works inside other containers too.
        self._run("bud", "--isolation=chroot", "--network=host", *options, context)

    def save(self, tag: str, file: Path) -> None:
        """As Builder says."""
        self._run("push", "--quiet", tag, f"docker-archive:{file}:{tag}")

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([*self._command(), *arguments], stdout=sys.stderr, check=True)

    def _command(self) -> list[str]:
        storage = cache_dir() / "buildah"
        roots = [f"--root={storage / 'root'}", f"--runroot={storage / 'run'}"]
        return [program("buildah"), "--storage-driver=overlay", *roots]
