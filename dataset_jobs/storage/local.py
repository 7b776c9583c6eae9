"""Files in a local folder, or on a volume mounted there.

Every name is opened relative to the open folder above it and symbolic links are not followed, so that no URI
and no link leads out of the folder, not even one that is exchanged meanwhile.
"""

import errno
import io
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, FolderMissing, Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.storage.keys import checked
from dataset_jobs.storage.reader import guarded
from dataset_jobs.storage.stored_file import StoredFile

_SCHEME = "local:"
_BLOCK_BYTES = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class LocalStorage:
    """`Storage` in a folder. URIs are relative to it (`local:US/<id>`), so that it may be moved.

    Args:
        root: the folder. It must be there: it is never made, for a missing one may be an unmounted volume.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: BinaryIO) -> str:
        """See `Storage.put`. A process that is killed meanwhile leaves a `.<hex>.part`, to be removed at will."""
        uri = _SCHEME + checked(key)
        *folders, name = key.split("/")
        with self._folder(uri, folders, make=True) as folder:
            part = f".{uuid.uuid4().hex}.part"
            try:
                with _errors(uri):
                    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
                with _closing(fd, uri):
                    # Outside of the guard: errors of the source are not the storage's fault.
                    while block := content.read(_BLOCK_BYTES):
                        with _errors(uri):
                            _write(fd, block)
                    with _errors(uri):
                        os.fsync(fd)
                with _errors(uri):
                    os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
                    _fsync_folder(folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(part, dir_fd=folder)
                raise
        return uri

    def open(self, uri: str) -> BinaryIO:
        """See `Storage.open`."""
        *folders, name = _key(uri).split("/")
        try:
            with self._folder(uri, folders) as folder, _errors(uri, missing_passes=True):
                # Non-blocking, so that a FIFO in the file's place cannot hold us; files do not mind.
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            raise self._missing(uri) from None
        try:
            with _errors(uri):
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise Forbidden(f"storage: {uri} is not a regular file", Reason.STORAGE)
                return guarded(io.FileIO(fd), partial(_errors, uri))
        except BaseException:
            os.close(fd)
            raise

    def location(self, given: str) -> str:
        """See `Storage.location`; a path below the root will do as well."""
        if given.startswith("/"):
            try:
                given = str(Path(given).relative_to(self._root))
            except ValueError:
                raise Forbidden(
                    f"storage: {given} is not below {self._root} (STORAGE_PATH): copy the files to a folder below it,"
                    " or move what is stored there to a folder above them and set STORAGE_PATH to that",
                    Reason.STORAGE,
                ) from None
        elif ":" in given:
            return _key(given.rstrip("/"))
        return checked(given.rstrip("/"))

    def files(self, location: str) -> Iterator[StoredFile]:
        """See `Storage.files`. Symbolic links are passed over."""
        folders = [checked(location)]
        while folders:
            key = folders.pop()
            uri = _SCHEME + key
            try:
                with self._folder(uri, key.split("/")) as folder, _errors(uri, missing_passes=True):
                    with os.scandir(folder) as entries:
                        names = sorted((entry.name for entry in entries), reverse=True)
                    found = [(name, status) for name in names if (status := _status(name, folder)) is not None]
            except FileNotFoundError:
                if key == location:
                    raise FolderMissing(f"storage: there is no folder {uri}", Reason.STORAGE) from None
                continue  # removed since
            folders += [f"{key}/{name}" for name, status in found if stat.S_ISDIR(status.st_mode)]
            for name, status in reversed(found):
                if stat.S_ISREG(status.st_mode):
                    version = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
                    stored_at = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield StoredFile(f"{uri}/{name}", name, version, status.st_size, stored_at)

    def delete(self, uri: str) -> None:
        """See `Storage.delete`."""
        *folders, name = _key(uri).split("/")
        with (
            suppress(FileNotFoundError),
            self._folder(uri, folders) as folder,
            _errors(uri, missing_passes=True),
        ):
            os.unlink(name, dir_fd=folder)
            _fsync_folder(folder)

    @contextmanager
    def _folder(self, uri: str, names: list[str], make: bool = False) -> Iterator[int]:
        """The descriptor of a folder below the root; FileNotFoundError if it is missing and not made."""
        with _errors(uri):
            folder = self._open_root()
        try:
            for name in names:
                with _errors(uri, missing_passes=not make):
                    if make:
                        _make_folder(name, folder)
                    below = os.open(name, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)

    def _open_root(self) -> int:
        try:
            # The root itself may be a link: that is its owner's choice.
            return os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise Unavailable(
                f"storage: the folder {self._root} (STORAGE_PATH) is not there; is its volume mounted?",
                Reason.STORAGE,
            ) from None
        except NotADirectoryError:
            raise Misconfigured(f"STORAGE_PATH is {str(self._root)!r}, not a folder", Reason.CONFIG) from None

    def _missing(self, uri: str) -> RunError:
        # An unmounted volume leaves an empty folder behind: no dataset must fail for good by that.
        with _errors(uri):
            if not any(self._root.iterdir()):
                return Unavailable(
                    f"storage: the folder {self._root} (STORAGE_PATH) is empty; is its volume mounted?",
                    Reason.STORAGE,
                )
        return FileMissing(f"storage: there is no file {uri}", Reason.FILE_NOT_FOUND)


def _key(uri: str) -> str:
    if not uri.startswith(_SCHEME):
        raise Misconfigured(f"storage: {uri} is not in local storage, but STORAGE_TYPE is local", Reason.CONFIG)
    return checked(uri.removeprefix(_SCHEME))


def _status(name: str, folder: int) -> os.stat_result | None:
    """The status of an entry; None if it is hidden or was removed since."""
    if name.startswith("."):
        return None
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def _make_folder(name: str, parent: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        _fsync_folder(parent)


def _fsync_folder(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network file systems know it for files only.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextmanager
def _closing(fd: int, uri: str) -> Iterator[None]:
    """Closes it; network file systems report a full disk only then."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            os.close(fd)
        raise
    with _errors(uri):
        os.close(fd)


def _write(fd: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(fd, rest) :]


_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_OURS = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}


@contextmanager
def _errors(uri: str, missing_passes: bool = False) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if missing_passes:
            raise
        raise _unavailable(uri, error) from None
    except OSError as error:
        if error.errno in _REFUSED:
            raise Forbidden(f"storage: {uri}: {error.strerror}", Reason.STORAGE) from None
        if error.errno in _NOT_OURS:
            raise Forbidden(
                f"storage: {uri} leads through a symbolic link, or over what is not a file or folder of ours",
                Reason.STORAGE,
            ) from None
        raise _unavailable(uri, error) from None


def _unavailable(uri: str, error: OSError) -> Unavailable:
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    said = f"{error.strerror} ({name})" if error.strerror else name
    return Unavailable(f"storage: {uri}: {said}", Reason.TEMPORARY_IO)
