"""The directory of a zip archive or workbook: checked before anything is unpacked."""

import zipfile
import zlib

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.limits import MIB
from parser_runner.parsers.source_file import SourceFile

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""Errors of zipfile for a damaged archive. OSError is zipfile's own: the machine's are errors of the model by now."""


def checked_directory(source: SourceFile) -> list[zipfile.ZipInfo]:
    """The files in an archive or workbook, checked against the limits.

    Raises:
        Rejected: it is damaged, encrypted, or would become too large.
    """
    limits = source.limits
    try:
        with zipfile.ZipFile(source.file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except DAMAGED:
        raise source.rejected(Reason.INVALID_FORMAT, "the archive or workbook is damaged or cut off") from None
    finally:
        source.rewind()
    unpacked = sum(member.file_size for member in members)
    packed = max(1, min(source.size, sum(member.compress_size for member in members)))
    if len(members) > limits.zip_members:
        message = f"it has {len(members)} files, more than {limits.zip_members} (LIMIT_ZIP_MEMBERS)"
        raise source.rejected(Reason.TOO_LARGE, message)
    if len({member.filename for member in members}) < len(members):
        raise source.rejected(
            Reason.INVALID_FORMAT, "it has two files of the same name: nobody can tell which one counts"
        )
    if unpacked > limits.unpacked_mib * MIB:
        message = f"unpacked it has {unpacked} bytes, more than {limits.unpacked_mib} MiB (LIMIT_UNPACKED_MIB)"
        raise source.rejected(Reason.TOO_LARGE, message)
    if unpacked > MIB and unpacked > packed * limits.unpacked_ratio:
        message = f"unpacked it is over {limits.unpacked_ratio} times as large (LIMIT_UNPACKED_RATIO)"
        raise source.rejected(Reason.TOO_LARGE, message)
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise source.rejected(Reason.INVALID_FORMAT, "the archive is encrypted: expected one without a password")
    if any(member.compress_type not in _METHODS for member in members):
        raise source.rejected(Reason.INVALID_FORMAT, "the archive is not packed by deflate, as zip files mostly are")
    return members


def read_member(source: SourceFile, member: zipfile.ZipInfo, most: int = MIB) -> bytes:
    """The first bytes of a file in an archive or workbook.

    Raises:
        Rejected: it is damaged.
    """
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open(member) as packed:
            return packed.read(most)
    except DAMAGED:
        raise source.rejected(Reason.INVALID_FORMAT, "the archive or workbook is damaged or cut off") from None
    finally:
        source.rewind()
