"""Zip archives of text files: unpacked one file at a time, and checked once more meanwhile."""

import re
import zipfile
from collections.abc import Generator
from contextlib import closing
from pathlib import PurePosixPath
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.places import shown_name
from parser_runner.machine import temporary_file
from parser_runner.parsers.file_kinds import kind_of_file, without_lists
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import has_letter
from parser_runner.parsers.zip_directory import DAMAGED, checked_directory

TEXT = (".csv", ".txt", ".tsv", ".px")
"""Endings of the members that are read. The report counts all others."""

_BLOCK = 1024 * 1024
_SEPARATOR = re.compile(r"[,;\t|]")


def is_archive(source: Source) -> bool:
    """Whether the file is a zip archive, and no workbook. Raises as `Source.workbook` does."""
    return bool(source.size) and source.is_zip and source.workbook() is None


def text_entries(source: Source) -> tuple[list[zipfile.ZipInfo], int]:
    """The text files in an archive's directory, and how many others there are.

    Raises:
        Rejected: the archive is damaged, or over a limit.
    """
    directory = checked_directory(source)
    texts = [member for member in directory if _is_text(member.filename)]
    return texts, len(directory) - len(texts)


def text_members(source: Source) -> Generator[Source, None, None]:
    """The text files of an archive, in the archive's order, one at a time.

    Raises:
        Rejected: there is none, or one is damaged.
    """
    texts, others = text_entries(source)
    source.skip("other files in the archive", others)
    if not texts:
        names = [member.filename for member in checked_directory(source)]
        raise source.rejected(Reason.INVALID_FORMAT, without_lists(names, TEXT))
    for member in texts:
        with temporary_file(source.machine) as file:
            _unpack(source, member, file)
            # It may be rewritten into another temporary file, which is the member's own.
            with closing(
                Source(
                    source.filename,
                    file,
                    source.hints,
                    source.limits,
                    member.filename,
                    source.findings,
                    source.machine,
                )
            ) as opened:
                yield opened


def is_beside_lists(member: Source) -> bool:
    """Whether a text of an archive, which is no list, has no figures that look like rows: metadata, a read-me.

    Raises:
        Rejected: it is no text of lines.
    """
    if member.is_zip or member.is_ole or kind_of_file(member):
        return False
    lines = with_figure = 0
    for _, line in member.raw_lines("latin-1"):
        fields = [field.strip(' "\r\n') for field in _SEPARATOR.split(line)]
        figures = [field for field in fields if field.isascii() and field.isdigit()]
        if (figures and any(map(has_letter, fields))) or "\0" in line:
            return False
        words = line.split()
        lines += bool(words)
        with_figure += bool(words) and (words[0].isdigit() or words[-1].isdigit())
    return lines > 0 and with_figure * 2 <= lines


def _unpack(source: Source, member: zipfile.ZipInfo, into: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(source.file) as archive, archive.open(member) as packed:
            # zipfile reads no more than the directory says; a longer member fails its checksum.
            while block := packed.read(_BLOCK):
                into.write(block)
    except DAMAGED:
        message = f"a file in the archive is damaged or cut off: {shown_name(member.filename)}"
        raise source.rejected(Reason.INVALID_FORMAT, message) from None
    finally:
        source.rewind()


def _is_text(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in TEXT and not path.name.startswith(".") and "__MACOSX" not in path.parts
