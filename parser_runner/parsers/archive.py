"""Zip archives: what is in them is checked before anything is unpacked, and again while it is read."""

import zipfile
import zlib
from collections.abc import Generator
from pathlib import PurePosixPath
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.limits import MIB
from dataset_jobs.model.places import shown_name
from parser_runner.machine import temporary_file
from parser_runner.parsers.source import Source

TEXT = (".csv", ".txt", ".tsv", ".px")
"""How names of members end that are looked at; what else is in an archive is said in the report."""

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BLOCK = 1024 * 1024
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What zipfile raises for a damaged archive. An OSError is its own: the machine's are errors of the model here."""


def checked_directory(source: Source) -> list[zipfile.ZipInfo]:
    """The files in an archive (or workbook), within the limits.

    Raises:
        Rejected: it is damaged, encrypted, or would become too large.
    """
    limits = source.limits
    try:
        with zipfile.ZipFile(source.file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _DAMAGED:
        raise source.rejected(Reason.INVALID_FORMAT, "the archive or workbook is damaged or cut off") from None
    finally:
        source.rewind()
    unpacked = sum(member.file_size for member in members)
    packed = max(1, min(source.size, sum(member.compress_size for member in members)))
    if len(members) > limits.zip_members:
        message = f"there are {len(members)} files in it, more than {limits.zip_members} (LIMIT_ZIP_MEMBERS)"
        raise source.rejected(Reason.TOO_LARGE, message)
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


def text_members(source: Source) -> Generator[Source, None, None]:
    """The text files of an archive, one after the other, in the archive's order.

    Raises:
        Rejected: there are none, or one is damaged.
    """
    directory = checked_directory(source)
    texts = [member for member in directory if _is_text(member.filename)]
    if len(texts) < len(directory):
        source.skip("other files in the archive", len(directory) - len(texts))
    if not texts:
        raise source.rejected(Reason.INVALID_FORMAT, f"no file in the archive ends in {', '.join(TEXT)}")
    for member in texts:
        with temporary_file(source.machine) as file:
            _unpack(source, member, file)
            yield Source(
                source.filename,
                file,
                source.year_hint,
                source.sex_hint,
                source.limits,
                member.filename,
                source.findings,
                source.machine,
            )


def _unpack(source: Source, member: zipfile.ZipInfo, into: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open(member) as packed:
            # No more than the directory says comes out; more in it fails its checksum.
            while block := packed.read(_BLOCK):
                into.write(block)
    except _DAMAGED:
        message = f"a file in the archive is damaged or cut off: {shown_name(member.filename)}"
        raise source.rejected(Reason.INVALID_FORMAT, message) from None
    finally:
        source.rewind()


def _is_text(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in TEXT and not path.name.startswith(".") and "__MACOSX" not in path.parts
