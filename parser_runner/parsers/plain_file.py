"""What is in a submitted file: unpacked if it is compressed, and text with line feeds and without UTF-16.

gzip, bzip2 and xz hold one file each. A spreadsheet program saves text in UTF-16 with a byte order mark, or ends lines
with carriage returns alone. Parsers see none of that, and line numbers stay the same. All other files are left alone.
"""

import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import MIB, Limits
from parser_runner.machine import Machine, temporary_file

ENDINGS = (".gz", ".bz2", ".xz")
"""Of compressed files. Without them it is the publisher's own name."""

_BLOCK = 64 * 1024
_OUTPUT = 1024 * 1024
_DICTIONARY_BYTES = 128 * MIB
"""xz -9 needs half of it."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_32_LE = b"\xff\xfe\0\0"

Refusal = Callable[[Reason, str, int | None], Rejected]
"""Makes the refusal of the file, by the reason, the message and the line."""


class _Decompressor(Protocol):
    """As bz2 and lzma have it."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib with the methods of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        found = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(found) < max_length
        return found


_COMPRESSED: dict[bytes, tuple[str, Callable[[], _Decompressor]]] = {
    b"\x1f\x8b": ("gzip", _Gzip),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\0": ("xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _DICTIONARY_BYTES)),
}
_DAMAGED = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
"""Errors of the decompressors. OSError is bz2's own: the machine's are errors of the model by now."""


def compressed_by(head: bytes) -> str | None:
    """The program that compressed a file, by its first bytes; None if it is not compressed."""
    return next((name for magic, (name, _) in _COMPRESSED.items() if head.startswith(magic)), None)


def plain_file(
    file: BinaryIO, size: int, limits: Limits, machine: Machine, refusal: Refusal, may_be_compressed: bool
) -> BinaryIO:
    """The file itself, or a temporary one with what is in it.

    Args:
        file: as submitted; it stays open.
        size: its bytes.
        limits: on what is unpacked, too.
        machine: makes temporary files.
        refusal: makes the error.
        may_be_compressed: whether it is unpacked; a file in an archive is not.

    Raises:
        Rejected: it is damaged, cut off, goes on behind its end, or would become too large.
    """
    if size > limits.file_mib * MIB:
        return file  # It is refused for its size.
    found, start = file, _head(file)
    for magic, (name, make) in _COMPRESSED.items():
        if may_be_compressed and start.startswith(magic):
            blocks = _bounded(_unpacked(file, magic, name, make, refusal), size, limits, refusal)
            found = _written(blocks, found, file, machine)
            start = _head(found)
            break
    if start[:2] in _UTF_16 and start[:4] != _UTF_32_LE:
        found = _written(_from_utf_16(found, refusal), found, file, machine)
        start = _head(found)
    if b"\r" in start and not (b"\n" in start or b"\0" in start):
        found = _written((block.replace(b"\r", b"\n") for block in _blocks(found)), found, file, machine)
    return found


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(_BLOCK)
    file.seek(0)
    return head


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def _written(blocks: Iterable[bytes], before: BinaryIO, submitted: BinaryIO, machine: Machine) -> BinaryIO:
    """A temporary file of these blocks; closes the one that they are read from, unless that is the submitted one."""
    into = temporary_file(machine)
    try:
        for block in blocks:
            into.write(block)
    except BaseException:
        into.close()
        raise
    finally:
        if before is not submitted:
            before.close()
    into.seek(0)
    return into


def _unpacked(
    file: BinaryIO, magic: bytes, name: str, make: Callable[[], _Decompressor], refusal: Refusal
) -> Iterator[bytes]:
    """The content of a compressed file, which may be several streams one after the other."""
    given = file.read(_BLOCK)
    try:
        while given:
            stream = make()
            while not stream.eof:
                yield stream.decompress(given, _OUTPUT)
                given = b""
                if stream.needs_input and not stream.eof:
                    given = file.read(_BLOCK)
                    if not given:
                        raise refusal(Reason.INVALID_FORMAT, f"the {name} file is cut off", None)
            given = (stream.unused_data or b"") + file.read(_BLOCK)
            if given and not given.startswith(magic):
                message = f"other bytes follow the end of the {name} file: it is damaged, or two files in one"
                raise refusal(Reason.INVALID_FORMAT, message, None)
    except _DAMAGED:
        raise refusal(Reason.INVALID_FORMAT, f"the {name} file is damaged", None) from None


def _bounded(blocks: Iterable[bytes], size: int, limits: Limits, refusal: Refusal) -> Iterator[bytes]:
    """Passes blocks on, until there are too many."""
    unpacked = 0
    for block in blocks:
        unpacked += len(block)
        if unpacked > limits.file_mib * MIB:
            message = f"unpacked the file has more than {limits.file_mib} MiB (LIMIT_FILE_MIB)"
            raise refusal(Reason.TOO_LARGE, message, None)
        if unpacked > MIB and unpacked > size * limits.unpacked_ratio:
            message = f"unpacked it is over {limits.unpacked_ratio} times as large (LIMIT_UNPACKED_RATIO)"
            raise refusal(Reason.TOO_LARGE, message, None)
        yield block


def _from_utf_16(file: BinaryIO, refusal: Refusal) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")()
    line = 1
    try:
        for block in _blocks(file):
            text = decoder.decode(block)
            yield text.encode()
            line += text.count("\n")
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        if isinstance(error, UnicodeDecodeError):
            order = error.encoding if error.encoding.endswith("e") else "utf-16"
            line += bytes(error.object[: error.start]).decode(order, "ignore").count("\n")
        message = "the file begins as UTF-16 does, but this is not UTF-16"
        raise refusal(Reason.INVALID_FORMAT, message, line) from None
