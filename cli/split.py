"""`--split`: the text files of an archive, and the regions of a list of several, each as a file of its own."""

import errno
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TextIO

from dataset_jobs.host import temporary_folder
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.local_machine import machine_error, machine_errors
from dataset_jobs.model.requests import InvalidRequest
from parser_runner.parsers.archive import is_archive, text_entries, text_members
from parser_runner.parsers.division import Piece, divided
from parser_runner.parsers.source import Source
from services.submission import checked_filename, open_file
from services.submit import FileOptions, SubmittedFile
from services.use_cases import FileUseCases

_NAME_BYTES = 240
"""A name on disk has at most 255; the rest is for the region."""


class _Piece(NamedTuple):
    """A file to submit, or why there is none."""

    shown: str
    """For an archive's member, below the archive."""
    path: Path | None
    refusal: InvalidRequest | None = None
    of: int = 1
    """How many files there are in the archive."""
    note: str = ""


def submit_split(
    files: FileUseCases,
    file: Path,
    shown: str,
    options: FileOptions,
    limits: Limits,
    say: Callable[[str], None],
) -> list[SubmittedFile]:
    """Submits the text files of an archive one after the other. A refusal of one does not stop the others.

    A list of several regions becomes a file for each of them, with the region in its name.

    Repeating it changes nothing: the same bytes are the same dataset, whether they come in an archive or alone.

    Args:
        files: submits them.
        options: what holds for all of them.
        file: an archive, or another file, which stays whole.
        shown: where it came from.
        limits: on what is unpacked.
        say: gets the step that is being taken.
    """
    submitted = []
    with closing(_pieces(file, shown, limits, options.country)) as pieces:
        for number, piece in enumerate(pieces, 1):
            of_all = f" ({number} of {piece.of})" if piece.of > 1 else ""
            say(f"storing {piece.shown}{of_all}{piece.note}")
            if piece.path is None:
                submitted.append(SubmittedFile(piece.shown, refusal=piece.refusal))
            else:
                [one] = files.submit_files([piece.path], options)
                submitted.append(replace(one, path=piece.shown))
    return submitted


def _pieces(file: Path, shown: str, limits: Limits, country: str) -> Generator[_Piece, None, None]:
    try:
        with closing(Source(file.name, open_file(file), limits=limits)) as source:
            if not is_archive(source):
                regions = divided(source, country)
                yield from [_Piece(shown, file)] if regions is None else _by_region(shown, source, regions)
                return
            temporary_folder()
            texts, others = text_entries(source)
            note = f"; {others} other in the archive passed over" if others else ""
            with closing(text_members(source)) as members:
                for member in members:
                    regions = divided(member, country)
                    for piece in (
                        _unpacked(shown, member)
                        if regions is None
                        else _by_region(f"{shown}/{member.own_name}", member, regions)
                    ):
                        yield piece._replace(of=len(texts) if regions is None else piece.of, note=note)
                        note = ""
    except InvalidRequest as refusal:
        yield _Piece(shown, None, refusal)
    except Rejected as rejected:
        yield _Piece(shown, None, InvalidRequest(str(rejected)))


def _unpacked(archive: str, member: Source) -> Iterator[_Piece]:
    try:
        name = checked_filename(member.own_name)
    except InvalidRequest as refusal:
        yield _Piece(archive, None, InvalidRequest(f"{archive}: {refusal}"))
        return
    with machine_errors("unpack an archive"):
        folder = TemporaryDirectory(prefix="affirm-worker-")
    with folder:
        path = Path(folder.name, name)
        try:
            with path.open("wb") as into:
                shutil.copyfileobj(member.file, into)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise machine_error(error, "unpack an archive") from None
            yield _Piece(archive, None, InvalidRequest(f"{archive}: the name of a file in it is too long"))
            return
        yield _Piece(f"{archive}/{name}", path)


def _by_region(shown: str, source: Source, regions: Iterator[Piece]) -> Iterator[_Piece]:
    """A file for each region. They are whole before the first one is submitted."""
    temporary_folder()
    own = Path(checked_filename(source.own_name))
    if len(own.name.encode()) > _NAME_BYTES:
        raise InvalidRequest(f"{shown}: the name is too long for one with the region")
    with machine_errors("divide a file"):
        folder = TemporaryDirectory(prefix="affirm-worker-")
    with folder, ExitStack() as opened:
        files: dict[str, TextIO] = {}
        for region, text in regions:
            with machine_errors("divide a file"):
                if region not in files:
                    path = Path(folder.name, f"{own.stem}-{region}{own.suffix}")
                    files[region] = opened.enter_context(path.open("w", encoding="utf-8", newline=""))
                files[region].write(text)
        with machine_errors("divide a file"):
            opened.close()
        paths = sorted(Path(folder.name).iterdir())
        for path in paths:
            yield _Piece(f"{shown}/{path.name}", path, of=len(paths))
