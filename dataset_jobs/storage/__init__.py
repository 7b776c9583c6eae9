"""Where the bytes of datasets are kept: one small interface, a local folder or S3 behind it."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from dataset_jobs.storage.config import StorageConfig
from dataset_jobs.storage.stored_file import StoredFile

__all__ = ["Storage", "StorageConfig", "StoredFile", "open_storage"]


class Storage(Protocol):
    """Keeps files under keys such as `US/<id>`, and gives each a URI for the database.

    Every method raises only errors of the model:

    - `FileMissing`: storage answered that there is no such file.
    - `Forbidden`: storage refused us, or the key or URI leads out of this installation's files.
    - `Unavailable`: storage did not answer or broke off; a later try may pass.
    - `Misconfigured`: the URI is of another kind of storage or another bucket, or the settings are wrong.
    """

    def put(self, key: str, content: BinaryIO) -> str:
        """Stores `content`, read to its end in blocks, under `key`; replaces an earlier file.

        Readers see the whole old file or the whole new one, and a crash leaves nothing half under the key.

        Args:
            key: one or more names with slashes between them; see `keys.checked`.
            content: where the bytes come from, from its present position; it need not be seekable. The
                caller closes it.

        Returns:
            The URI to give to `open` and `delete`.
        """
        ...

    def open(self, uri: str) -> BinaryIO:
        """The file's bytes as a buffered reader, which the caller closes (it is a context manager).

        Nothing is held but a buffer. Reading raises the same errors as opening, and a body that ends too
        early is `Unavailable`, never an end of file.
        """
        ...

    def location(self, given: str) -> str:
        """A folder below which files lie, as `files` takes it; given as a key, or as a URI of this storage."""
        ...

    def files(self, location: str) -> Iterator[StoredFile]:
        """The files below a folder and the folders in it. Skips names that begin with a dot: hidden files, or files
        that are still being written.

        Raises also `FolderMissing` if there is no such folder and this kind of storage knows empty ones: the volume
        may not be mounted.
        """
        ...

    def delete(self, uri: str) -> None:
        """Removes the file; one that is gone already is fine."""
        ...


def open_storage(config: StorageConfig) -> Storage:
    """The storage that `config` describes. Only `s3` imports botocore, and only its uploads boto3.

    No connection is made yet, so it may be called before a fork: the child then has everything loaded.

    Raises:
        Misconfigured: the AWS settings of the environment cannot be read.
        Forbidden, Unavailable: the credentials have to be fetched, and were refused or did not come.
    """
    if config.type == "s3":
        from dataset_jobs.storage.s3 import S3Storage

        return S3Storage(config)
    from dataset_jobs.storage.local import LocalStorage

    assert config.path is not None, "from_env sees to it"
    return LocalStorage(config.path)
