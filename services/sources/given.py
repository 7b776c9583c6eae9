"""What a user has typed, as sources: files, folders, addresses, `s3://…` and `-`."""

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from services.sources.addresses import Address, is_address, shown_address
from services.sources.buckets import SCHEME, FileInBucket, S3Server, keys_below
from services.sources.passed_over import PassedOver, why_passed_over
from services.sources.request import Request
from services.sources.source import FileOnDisk, LocalFile, NoSource, Source, Stream, Tell, so_far
from services.submission import checked_filename, unreadable

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Reach:
    """What sources need to know of their surroundings.

    Args:
        most_bytes: larger files are refused before they are here.
        server: of `s3://…`.
        stdin: what `-` means.
    """

    most_bytes: int
    server: S3Server
    stdin: Callable[[], BinaryIO]


@dataclass(slots=True)
class Found:
    """The sources in the order given, those of a folder by name; and what was passed over in folders."""

    sources: list[Source] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileAtAddress:
    """A file at an http or https address."""

    address: Address
    most_bytes: int
    name: str | None = None

    @property
    def shown(self) -> str:
        """See `Source.shown`."""
        return self.address.shown

    @contextmanager
    def fetch(self, tell: Tell) -> Iterator[LocalFile]:
        """See `Source.fetch`."""
        from services.sources.download import downloaded

        def seen(size: int, total: int | None) -> None:
            tell(f"fetching {self.shown}: {so_far(size, total)}")

        with downloaded(Request(self.address, self.most_bytes, self.name, seen=seen)) as found:
            assert found is not None, "no version is known"
            yield LocalFile(found.path)


def find_sources(given: Sequence[str], reach: Reach, *, recursive: bool = False, name: str | None = None) -> Found:
    """The sources that were given.

    An argument that cannot be one, such as an empty folder, becomes a source that is refused, so that the others go on.

    Args:
        given: paths, addresses, URIs of S3, or `-` for stdin.
        recursive: of folders all that lies below them, not only what lies directly in them.
        name: the publisher's name for the one file that was given.

    Raises:
        InvalidRequest: `name` cannot be, comes with several files, or is missing for stdin.
    """
    if name is not None:
        checked_filename(name)
        if len(given) != 1:
            raise InvalidRequest("a name goes with one file")
    if STDIN in given and (name is None or len(given) > 1):
        raise InvalidRequest("stdin is one file, and needs the publisher's name for it")
    found = Found()
    for one in given:
        try:
            _find(one, reach, found, recursive, name)
        except RunError as error:
            found.sources.append(NoSource(shown_address(one) if "://" in one else one, error))
    return found


def _find(one: str, reach: Reach, found: Found, recursive: bool, name: str | None) -> None:
    if one == STDIN:
        assert name is not None
        found.sources.append(Stream(reach.stdin(), name, reach.most_bytes))
    elif is_address(one):
        found.sources.append(FileAtAddress(Address.parse(one), reach.most_bytes, name))
    elif one.startswith(SCHEME):
        _in_bucket(one, reach, found, recursive, name)
    elif "://" in one and not Path(one).exists():
        scheme = one_line(one.partition("://")[0])[:20]
        raise InvalidRequest(f"{shown_address(one)}: {scheme}:// is not read; allowed: https, http, s3, or a path")
    elif Path(one).is_dir():
        _no_name(one, name)
        _take(found, _on_disk(Path(one), found, recursive), one)
    else:
        found.sources.append(FileOnDisk(Path(one), name))


def _in_bucket(uri: str, reach: Reach, found: Found, recursive: bool, name: str | None) -> None:
    if not uri.endswith("/"):
        reach.server.bucket_of(uri)
        found.sources.append(FileInBucket(uri, reach.server, reach.most_bytes, name))
        return
    _no_name(uri, name)
    uri = uri.rstrip("/") + "/"
    sources: list[Source] = []
    folders: dict[str, None] = {}
    for key in keys_below(uri, reach.server):
        first, below, _ = key.partition("/")
        if below and not recursive:
            folders[f"{uri}{first}/"] = None
            continue
        if why := next(filter(None, map(why_passed_over, PurePosixPath(key).parts)), None):
            found.passed_over.append(PassedOver(uri + key, why))
        elif not key.endswith("/"):  # one that does is a console's word for a folder
            sources.append(FileInBucket(uri + key, reach.server, reach.most_bytes))
    found.passed_over += [PassedOver(folder, "a folder") for folder in folders]
    _take(found, sources, uri)


def _no_name(folder: str, name: str | None) -> None:
    if name is not None:
        raise InvalidRequest(f"{folder}: a name goes with one file, not with a folder")


def _take(found: Found, sources: Sequence[Source], folder: str) -> None:
    if not sources:
        raise InvalidRequest(f"{folder}: there is no file to load in this folder")
    found.sources += sources


def _on_disk(folder: Path, found: Found, recursive: bool) -> list[Source]:
    """The files of a folder. Symbolic links are followed to files within it, and nowhere else."""
    try:
        root = folder.resolve()
        return [*_walk(folder, root, found, recursive)]
    except OSError as error:
        raise unreadable(Path(error.filename or folder), error) from None


def _walk(folder: Path, root: Path, found: Found, recursive: bool) -> Iterator[Source]:
    for path in sorted(folder.iterdir()):
        if (why := _why_not(path, root, recursive)) is not None:
            found.passed_over.append(PassedOver(str(path), why))
        elif path.is_dir():
            yield from _walk(path, root, found, recursive)
        else:
            yield FileOnDisk(path)


def _why_not(path: Path, root: Path, recursive: bool) -> str | None:
    if path.name.startswith((".", "~$")):
        return "hidden"
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "a link out of the folder"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to nothing"
    if stat.S_ISDIR(mode):
        if path.is_symlink():
            return "a link to a folder"
        return None if recursive else "a folder"
    return why_passed_over(path.name) if stat.S_ISREG(mode) else "no file"
