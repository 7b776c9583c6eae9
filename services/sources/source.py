"""The port: a source becomes a local file under the publisher's name, for as long as it is needed."""

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Protocol

from dataset_jobs.host import temporary_folder
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import machine_error, machine_errors
from dataset_jobs.model.requests import InvalidRequest
from services.submission import checked_filename

Tell = Callable[[str], None]
"""Gets the step that is being taken, in words."""

BLOCK_BYTES = 1 << 20
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine. `path.name` is the publisher's name for it."""

    path: Path


class Source(Protocol):
    """One file to submit, wherever it is."""

    @property
    def shown(self) -> str:
        """Its place in the words of the user, without credentials."""
        ...

    def fetch(self, tell: Tell) -> AbstractContextManager[LocalFile]:
        """Brings the file here; a copy is removed at the end.

        Raises:
            InvalidRequest: there is no such file, or it cannot be one of ours.
            Unavailable: a later try may pass.
            Forbidden, Misconfigured: as storage has it.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileOnDisk:
    """A file of this machine.

    Args:
        path: as it was given.
        name: another name to submit it under.
    """

    path: Path
    name: str | None = None
    shown: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", str(self.path))

    @contextmanager
    def fetch(self, tell: Tell) -> Iterator[LocalFile]:
        """See `Source.fetch`. Whether there is such a file is found when it is read."""
        if self.name is None:
            yield LocalFile(self.path)
            return
        with named_file(self.name) as path:
            with machine_errors(f"name {self.path}"):
                path.symlink_to(self.path.absolute())
            yield LocalFile(path)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream holds, such as stdin.

    Args:
        content: read once, to its end.
        name: the publisher's name for it.
        most_bytes: more of them are refused.
    """

    content: BinaryIO
    name: str
    most_bytes: int
    shown: str = "-"

    @contextmanager
    def fetch(self, tell: Tell) -> Iterator[LocalFile]:
        """See `Source.fetch`."""
        with named_file(self.name) as path:
            with machine_errors("read stdin"):
                copy(self.content, path, self.shown, self.most_bytes)
            yield LocalFile(path)


@dataclass(frozen=True, slots=True)
class NoSource:
    """An argument that cannot be a source, such as an empty folder."""

    shown: str
    error: RunError

    @contextmanager
    def fetch(self, tell: Tell) -> Iterator[LocalFile]:
        """Raises the error."""
        raise self.error
        yield


@contextmanager
def named_file(name: str) -> Iterator[Path]:
    """The path of a file of that name that is still to be made; it is removed at the end.

    Raises:
        InvalidRequest: no file can have the name.
        Unavailable, OutOfMemory: this machine cannot keep it.
    """
    checked = checked_filename(name)
    temporary_folder()
    with machine_errors(f"keep {checked}"):
        folder = TemporaryDirectory(prefix="affirm-worker-")
    with folder:
        path = Path(folder.name, checked)
        try:
            path.touch()
            path.unlink()
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise machine_error(error, f"keep {checked}") from None
            raise InvalidRequest(f"file name '{checked[:40]}…': it is too long for a file of this machine") from None
        yield path


def copy(
    content: BinaryIO, path: Path, shown: str, most_bytes: int, seen: Callable[[int], None] = lambda _: None
) -> None:
    """Writes a file, block by block.

    Args:
        content: read to its end.
        path: the new file.
        shown: where the content comes from, for errors.
        most_bytes: more of them are refused.
        seen: gets how many bytes there are so far.

    Raises:
        InvalidRequest: there are more, or none.
        OSError: the file cannot be written, or the content cannot be read.
    """
    size = 0
    with path.open("wb") as into:
        while block := content.read(BLOCK_BYTES):
            size += len(block)
            if size > most_bytes:
                raise too_large(shown, most_bytes)
            into.write(block)
            seen(size)
    if not size:
        raise InvalidRequest(f"{shown}: it is empty")


def too_large(shown: str, most_bytes: int) -> InvalidRequest:
    """The error for a file of more bytes than that."""
    return InvalidRequest(f"{shown}: it has more than {most_bytes // MIB:,} MiB (LIMIT_FILE_MIB)")


def so_far(size: int, total: int | None) -> str:
    """How much of a file has come, in words."""
    if total is None:
        return f"{size / MIB:.1f} MiB"
    return f"{size / MIB:.1f} of {total / MIB:.1f} MiB"
