"""Errors of the machine that we run on, as errors of the model.

A full disk, too few open files or processes, missing memory, a disk that cannot be read: none of them says anything
about a dataset, so none of them may reject one. A later try may pass, here or on another node.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import OutOfMemory, Temporary, Unavailable


def machine_error(error: OSError | MemoryError, doing: str) -> Temporary:
    """What an error of the operating system means for a run: missing memory, or something local that failed.

    Args:
        error: as the operating system or Python has raised it.
        doing: what cannot be done because of it, after "cannot".
    """
    if isinstance(error, MemoryError) or error.errno == errno.ENOMEM:
        return OutOfMemory(f"local machine: cannot {doing}: it has not enough memory")
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    said = f"{error.strerror} ({name})" if error.strerror else name
    if isinstance(error.filename, str):
        said += f": {error.filename}"
    return Unavailable(f"local machine: cannot {doing}: {said}", Reason.TEMPORARY_IO)


_OF_THE_PATH = {
    errno.EACCES, errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENODEV, errno.ENOENT,
    errno.ENOEXEC, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENOTSUP, errno.ENXIO, errno.EPERM, errno.EROFS,
}  # fmt: skip


def is_about_the_path(error: OSError) -> bool:
    """Whether a path that somebody has named is at fault, and not the machine: it is missing, or of another kind."""
    return error.errno in _OF_THE_PATH


@contextmanager
def machine_errors(doing: str) -> Iterator[None]:
    """Around what only touches the local machine: raises `machine_error` in place of OSError and MemoryError."""
    try:
        yield
    except (OSError, MemoryError) as error:
        raise machine_error(error, doing) from None
