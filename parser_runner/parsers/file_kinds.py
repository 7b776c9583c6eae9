"""Files that are no lists, named for what they are, with what to do."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from parser_runner.parsers.plain_file import compressed_by
from parser_runner.parsers.source_file import SourceFile

_UNPACK = "unpack it and submit its files"
_TABLE = "submit the publisher's table as text or as a workbook"

_BEGINNINGS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a file compressed by zstd", "unpack it and submit what is in it"),
    (0, b"\x1f\x9d", "a file compressed by compress", "unpack it and submit what is in it"),
    (0, b"%PDF-", "a PDF document", _TABLE),
    (0, b"{\\rtf", "an RTF document", _TABLE),
    (0, b"PAR1", "a Parquet file", "submit the table as CSV"),
    (0, b"SQLite format 3\0", "an SQLite database", "submit the table as CSV"),
    (0, b"\xff\xfe\0\0", "text in UTF-32", "save it as UTF-8"),
    (0, b"\0\0\xfe\xff", "text in UTF-32", "save it as UTF-8"),
)
_WORD_STREAM = "WordDocument".encode("utf-16-le")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
_HEAD = 4096
_HTML = re.compile(rb"\s*<(!doctype html|html|table|\?xml|\?mso|meta|div)|MIME-Version:", re.IGNORECASE)


def kind_of_file(source: SourceFile) -> str | None:
    """What a file is that no parser recognises, and what to do; None if it may be text or a workbook."""
    head = source.head(_HEAD)
    for at, magic, what, todo in _BEGINNINGS:
        if head.startswith(magic, at):
            return f"this is {what}: {todo}"
    if by := compressed_by(head):
        return f"this is a file compressed by {by} within another: unpack it and submit what is in it"
    if head.count(0) * 3 > len(head) and not (source.is_zip or source.is_ole):
        return "these are binary data, or UTF-16 without a byte order mark: save the table as UTF-8"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _HTML.match(text):
        return f"this is HTML or XML, whatever the file's name says: {_TABLE}"
    if text[:1] in (b"{", b"["):
        return f"this is JSON of no known format: {_TABLE}"
    return None


def document_in(source: SourceFile, members: Iterable[str]) -> str | None:
    """What an office document is that is no workbook, and what to do; None if it may be a workbook.

    Args:
        source: a zip archive or an old office document.
        members: the names in the zip archive.
    """
    names = {*members}
    if "word/document.xml" in names or (source.is_ole and _WORD_STREAM in source.head(source.size)):
        return f"this is a Word document: {_TABLE}"
    if "ppt/presentation.xml" in names:
        return f"this is a PowerPoint document: {_TABLE}"
    return None


def without_lists(members: Iterable[str], texts: Iterable[str]) -> str:
    """Why an archive without text files is refused.

    Args:
        members: the names of its files.
        texts: the endings of text files.
    """
    endings = {PurePosixPath(name).suffix.lower() for name in members}
    if endings.intersection(_WORKBOOKS):
        return "the archive has workbooks: unpack it and submit each workbook"
    if endings.intersection(_ARCHIVES):
        return "the archive has archives or compressed files in it: unpack it and submit what is in it"
    return f"no file in the archive ends in {', '.join(texts)}"
