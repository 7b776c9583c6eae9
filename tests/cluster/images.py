"""Builds container images for a test cluster and hands them to its nodes.

Where Docker's engine answers it builds, as kind has to be fed by it anyway; else buildah does, with storage of its
own in the cache folder, and on a base image that is made from Debian packages, so no image registry is needed.
"""

import subprocess
import sys
from pathlib import Path
from typing import Protocol

from tests.cluster import base_image, kind
from tests.cluster.api import Cluster
from tests.cluster.packages import program
from tests.cluster.paths import cache_dir, locked


class Builder(Protocol):
    """A tool that builds images."""

    def base(self) -> str:
        """The name of an image with python3, its venv module and CA certificates, to build others on."""

    def build(self, context: Path, tag: str, target: str | None = None, base: str | None = None) -> None:
        """Build an image; steps that were built before are not built again.

        Args:
            context: the folder with the Dockerfile.
            tag: the image's full name, such as `localhost/affirm-worker:test`.
            target: the stage to build, by default the last.
            base: the build argument BASE, by default base().

        Raises:
            subprocess.CalledProcessError: it failed; the output went to standard error.
        """

    def archive(self, tag: str) -> Path:
        """An image as a docker-archive file, which nodes can load."""


def builder() -> Builder:
    """The builder of this machine."""
    return Docker() if kind.why_not() is None else Buildah()


def load(cluster: Cluster, tag: str) -> None:
    """Make an image that was built here known to the cluster's nodes."""
    cluster.load_image(tag, builder().archive(tag))


class Docker:
    """Builds with Docker's engine."""

    def base(self) -> str:
        """The official Python image."""
        return "python:3.13-slim"

    def build(self, context: Path, tag: str, target: str | None = None, base: str | None = None) -> None:
        """As Builder says."""
        options = [f"--tag={tag}", f"--build-arg=BASE={base or self.base()}"]
        if target:
            options.append(f"--target={target}")
        subprocess.run([program("docker"), "build", *options, context], stdout=sys.stderr, check=True)

    def archive(self, tag: str) -> Path:
        """As Builder says."""
        docker = program("docker")
        if subprocess.run([docker, "image", "inspect", tag], capture_output=True, check=False).returncode != 0:
            subprocess.run([docker, "pull", tag], stdout=sys.stderr, check=True)
        archive = _archives() / f"{_file_name(tag)}.tar"
        subprocess.run([docker, "save", f"--output={archive}", tag], stdout=sys.stderr, check=True)
        return archive


class Buildah:
    """Builds with buildah, as root and without a daemon."""

    def base(self) -> str:
        """A minimal Debian with Python, made here."""
        folder = base_image.folder()
        tag = f"localhost/affirm-test-base:{folder.name.removeprefix('base-')}"
        with locked(cache_dir() / "base.lock"):
            if not self._id(tag):
                self._run("bud", f"--tag={tag}", folder)
        return tag

    def build(self, context: Path, tag: str, target: str | None = None, base: str | None = None) -> None:
        """As Builder says."""
        options = ["--layers", f"--tag={tag}", f"--build-arg=BASE={base or self.base()}"]
        if target:
            options.append(f"--target={target}")
        # chroot needs no privileges beyond root's own, so it works inside other containers too.
        self._run("bud", "--isolation=chroot", "--network=host", *options, context)

    def archive(self, tag: str) -> Path:
        """As Builder says."""
        name = _file_name(tag)
        archive = _archives() / f"{name}@{self._id(tag)}.tar"
        with locked(_archives() / f"{name}.lock"):
            if not archive.exists():
                for older in _archives().glob(f"{name}@*"):
                    older.unlink()
                unfinished = archive.with_suffix(".unfinished")
                self._run("push", "--quiet", tag, f"docker-archive:{unfinished}:{tag}")
                unfinished.rename(archive)
        return archive

    def _id(self, tag: str) -> str:
        command = [*self._command(), "images", "--quiet", "--no-trunc", tag]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return said.strip().removeprefix("sha256:")

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([*self._command(), *arguments], stdout=sys.stderr, check=True)

    def _command(self) -> list[str]:
        storage = cache_dir() / "buildah"
        roots = [f"--root={storage / 'root'}", f"--runroot={storage / 'run'}"]
        return [program("buildah"), "--storage-driver=overlay", *roots]


def _archives() -> Path:
    folder = cache_dir() / "images"
    folder.mkdir(exist_ok=True)
    return folder


def _file_name(tag: str) -> str:
    return tag.replace("/", "_").replace(":", "_")
