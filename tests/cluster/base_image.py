"""What the base image of tests is made of: a minimal Debian with Python, and this machine's way to package indexes.

The certificates and pip settings of this machine are in the base image of tests alone; images of the product that
anybody else builds know nothing of them.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.cluster.packages import SYSTEM_PATH, program
from tests.cluster.paths import cached

_SUITE = "bookworm"
_PACKAGES = "python3,python3-venv,ca-certificates"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Settings of pip that say how an index is reached; all others are this machine's own affair.
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
_DOCKERFILE = """FROM scratch
ADD rootfs.tar /
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
"""


def folder() -> Path:
    """A folder of the cache with the base image's Dockerfile and all that it needs."""

    def make(target: Path) -> None:
        (target / "certificates.crt").write_bytes(_CERTIFICATES.read_bytes())
        (target / "pip.conf").write_text(_pip_settings())
        (target / "Dockerfile").write_text(_DOCKERFILE)
        (target / "rootfs.tar").hardlink_to(_debian() / "rootfs.tar")

    return cached(f"base-{key()}", make)


@cache
def key() -> str:
    """What tells one base image from another: all that it is made of."""
    certificates = hashlib.sha256(_CERTIFICATES.read_bytes()).hexdigest()
    parts = [_SUITE, _PACKAGES, _DOCKERFILE, _pip_settings(), certificates]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _debian() -> Path:
    made_of = hashlib.sha256(f"{_SUITE} {_PACKAGES}".encode()).hexdigest()[:12]
    return cached(f"debian-{made_of}", _bootstrap)


def _bootstrap(target: Path) -> None:
    root = target / "root"
    # The suite's default mirror, or the one given, such as a company's own.
    mirror = os.environ.get("AFFIRM_DEBIAN_MIRROR")
    command: list[str | Path] = [program("debootstrap"), "--variant=minbase", f"--include={_PACKAGES}", _SUITE, root]
    environment = {**os.environ, "PATH": SYSTEM_PATH}
    subprocess.run([*command, *([mirror] if mirror else [])], stdout=sys.stderr, env=environment, check=True)
    for left in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
        shutil.rmtree(root / left, ignore_errors=True)
    tar: list[str | Path] = [
        program("tar"),
        "--numeric-owner",
        "--one-file-system",
        "-C",
        root,
        "-cf",
        target / "rootfs.tar",
        ".",
    ]
    subprocess.run(tar, check=True)
    shutil.rmtree(root)


@cache
def _pip_settings() -> str:
    """This machine's pip settings for the image, as a pip.conf."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    lines = ["[global]", f"cert = {_CERTIFICATES}"]
    for line in said.stdout.splitlines():
        # Such as global.timeout='60', or :env:.timeout='60' for an environment variable.
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in _PIP_SETTINGS:
            lines.append(f"{name} = {' '.join(ast.literal_eval(value).split())}")
    return "\n".join(lines) + "\n"
