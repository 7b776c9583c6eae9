"""A file to submit: reading and checking it, and the verdict if its bytes are a dataset already."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePath
from typing import BinaryIO
from uuid import UUID

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import MEASURES
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.local_machine import is_about_the_path, machine_error
from dataset_jobs.model.requests import BeingLoaded, InvalidRequest, LoadedOtherwise
from dataset_jobs.model.states import DatasetStatus
from dataset_jobs.model.text import one_line, storable

FIRST_YEAR, LAST_YEAR = 1800, 2100
"""The years that a hint may name."""

LONGEST_BATCH = 100
LONGEST_NAME = 255
"""Characters of a file name."""

_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


class Verdict(StrEnum):
    """The result of a submission, in a word."""

    CREATED = "created"
    """A new dataset, with its first job."""
    CORRECTED = "corrected"
    """A dataset that had no rows has another name or other hints now; it has an unfinished job."""
    RETRIED = "retried"
    """A dataset without rows has a new job."""
    UNCHANGED = "unchanged"
    """It is loaded, or under way, as what it is submitted as."""
    RESTORED = "restored"
    """It is loaded, and its file was lost or could not be loaded again: the file is stored anew."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A file to submit, checked.

    Args:
        filename: the publisher's file name, without a folder.
        sha256: of the bytes, in lower-case hexadecimal.
        size: bytes.
        hints: what the uploader says of it.
        supersedes: the datasets whose place it takes, ascending.
    """

    filename: str
    sha256: str
    size: int
    hints: FileHints = NO_HINTS
    supersedes: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Existing:
    """The dataset with the same bytes, as it stands under lock.

    Args:
        years, sexes, region, parser: of its rows; empty or None if it has none.
    """

    id: UUID
    filename: str
    hints: FileHints
    supersedes: tuple[UUID, ...]
    status: DatasetStatus
    unfinished_job: UUID | None
    years: tuple[int, ...] = ()
    sexes: tuple[str, ...] = ()
    region: str | None = None
    parser: str | None = None


def checked_submission(
    filename: str, sha256: str, size: int, hints: FileHints = NO_HINTS, replaces: Iterable[UUID] = ()
) -> Submission:
    """The submission of a file that is hashed already; raises InvalidRequest for a name or hint that is not allowed."""
    return Submission(
        checked_filename(filename), checked_sha256(sha256), size, checked_hints(hints), tuple(sorted({*replaces}))
    )


def read_submission(
    content: BinaryIO, filename: str, hints: FileHints = NO_HINTS, replaces: Iterable[UUID] = ()
) -> Submission:
    """Checks name and hints, and reads `content` to its end for its hash and size.

    Raises:
        InvalidRequest: the name or a hint is not allowed.
        OSError: `content` cannot be read.
    """
    checked_name, said = checked_filename(filename), checked_hints(hints)
    digest = hashlib.sha256()
    size = 0
    while block := content.read(1 << 20):
        digest.update(block)
        size += len(block)
    return Submission(checked_name, digest.hexdigest(), size, said, tuple(sorted({*replaces})))


def read_file(path: Path, hints: FileHints = NO_HINTS, replaces: Iterable[UUID] = ()) -> Submission:
    """As `read_submission`, of a file.

    Raises:
        InvalidRequest: there is no such file, or the name or a hint is not allowed.
        Unavailable, OutOfMemory: the machine does not read it now.
    """
    try:
        with path.open("rb") as content:
            return read_submission(content, path.name, hints, replaces)
    except OSError as error:
        raise unreadable(path, error) from None


def open_file(path: Path) -> BinaryIO:
    """The file's bytes; raises what `unreadable` gives."""
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: PurePath, error: OSError) -> RunError:
    """The error for a file that could not be read: InvalidRequest if its path is at fault, else one of the machine."""
    if not is_about_the_path(error):
        return machine_error(error, f"read {path}")
    return InvalidRequest(f"{path}: {(error.strerror or type(error).__name__).lower()}")


def checked_filename(filename: str) -> str:
    """The name, if it can be a publisher's file name.

    It must be UTF-8: parsers read year and sex from names, and nobody could type another one again.
    """
    shown = one_line(filename)
    if storable(filename) != filename:
        raise InvalidRequest(f"file name '{shown}': it is not UTF-8; rename the file and submit it again")
    if not filename or filename in (".", "..") or "/" in filename or "\\" in filename or shown != filename:
        raise InvalidRequest(f"file name '{shown}': must be a plain name, without folders or control characters")
    if len(filename) > LONGEST_NAME:
        raise InvalidRequest(
            f"file name '{filename[:40]}…' of {len(filename)} characters: at most {LONGEST_NAME} are allowed"
        )
    return filename


def checked_sha256(given: str) -> str:
    """A hash, in lower case."""
    lower = given.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", lower):
        raise InvalidRequest(f"sha256 '{one_line(given)[:80]}': must be 64 hexadecimal digits")
    return lower


def checked_batch(batch: str | None) -> str | None:
    """The name of what is submitted together; raises InvalidRequest for one that is no short line."""
    if batch is not None and (not batch.strip() or one_line(batch) != batch or len(batch) > LONGEST_BATCH):
        raise InvalidRequest(f"batch {one_line(batch)!r}: expected one line of at most {LONGEST_BATCH} characters")
    return batch


def checked_hints(hints: FileHints) -> FileHints:
    """The hints in one form; raises InvalidRequest for one that no file can have."""
    return replace(
        hints,
        year=checked_year(hints.year),
        sex=checked_sex(hints.sex),
        format=checked_format(hints.format),
        region=checked_region(hints.region),
        description=_checked_description(hints),
    )


def checked_year(year: int | None) -> int | None:
    """The year, if a hint may name it."""
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidRequest(f"year {year}: must be from {FIRST_YEAR} to {LAST_YEAR}")
    return year


def checked_sex(sex: str | None) -> str | None:
    """F or M, however it was written."""
    if sex is None:
        return None
    try:
        return _SEXES[sex.strip().lower()]
    except KeyError:
        raise InvalidRequest(f"sex {sex!r}: must be F or M (or female, male)") from None


def checked_format(name: str | None) -> str | None:
    """The name of a format, in lower case."""
    if name is None:
        return None
    lower = name.strip().lower()
    if not re.fullmatch(r"[a-z]{2}-[a-z0-9-]{1,60}", lower):
        raise InvalidRequest(f"format '{one_line(name)[:80]}': must be the name of one, such as de-koeln")
    return lower


def checked_region(code: str | None) -> str | None:
    """The code of a region, in capital letters."""
    if code is None:
        return None
    upper = code.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}-[A-Z0-9][A-Z0-9-]{0,28}", upper):
        message = "must be an ISO 3166-2 code or one of docs/formats.md, such as US-NY or DE-NW-05315"
        raise InvalidRequest(f"region '{one_line(code)[:80]}': {message}")
    return upper


def described(hints: FileHints, description: Description, measure: str | None) -> FileHints:
    """The hints, with the description of the file's columns.

    Args:
        hints: the other ones.
        description: of its columns.
        measure: births or population, if the description does not say it.

    Raises:
        InvalidRequest: the description says another measure.
    """
    if measure is not None and description.measure not in (None, measure):
        raise InvalidRequest(f"measure {measure}: the description says {description.measure}")
    return hints.described(description.with_measure(measure).as_json())


def _checked_description(hints: FileHints) -> str | None:
    if hints.description is None:
        return None
    if hints.format is not None:
        raise InvalidRequest(f"format '{hints.format}': a file with a description needs none")
    description = Description.from_json(hints.description)
    if description.measure is None:
        raise InvalidRequest(f"the description has no measure: say what is counted, {' or '.join(MEASURES)}")
    return description.as_json()


def verdict_on(existing: Existing, submission: Submission) -> Verdict:
    """The verdict if the bytes of an existing dataset are submitted again.

    Raises:
        LoadedOtherwise, BeingLoaded: under another name or with other hints, or in another one's place.
    """
    same = _says(existing) == _says(submission)
    if existing.status not in (DatasetStatus.PENDING, DatasetStatus.FAILED) and not submission.supersedes:
        # Submitting a whole folder again need not repeat what each file replaces.
        same = _says(existing)[:-1] == _says(submission)[:-1]
    match existing.status:
        case DatasetStatus.PENDING | DatasetStatus.FAILED:
            if not same:
                return Verdict.CORRECTED
            return Verdict.RETRIED if existing.unfinished_job is None else Verdict.UNCHANGED
        case _ if same or _is_covered(existing, submission):
            return Verdict.UNCHANGED
        case DatasetStatus.COMPLETED:
            raise LoadedOtherwise(
                f"{submission.filename}: these bytes are loaded already, as dataset {existing.id}"
                f" ({_described(existing)}); to load them as {_described(submission)}, delete that one first",
                hints=[Hint(Action.DELETE_DATASET, dataset_id=existing.id)],
            )
        case _:
            raise BeingLoaded(
                f"{submission.filename}: these bytes are being loaded just now, as dataset {existing.id}"
                f" ({_described(existing)}); submit them as {_described(submission)} when that run has ended",
                hints=[Hint(Action.EXPLAIN_JOB, job_id=existing.unfinished_job)],
            )


def _is_covered(existing: Existing, submission: Submission) -> bool:
    """Whether the rows that are loaded are those that the submission asks for, although its name or hints differ.

    A name may say the year, the sex and the region, in the words of any publisher. So another name asks for the same
    only if it has no other year, and the rows are of both sexes and of the whole country, or the hints say which.
    """
    said, name_is_new = submission.hints, submission.filename != existing.filename
    if submission.supersedes or not existing.years or said.description != existing.hints.description:
        return False
    if not {*map(int, _YEAR.findall(submission.filename))} <= {*existing.years}:
        return False
    return (
        (said.year is None or existing.years == (said.year,))
        and (existing.sexes == (said.sex,) if said.sex else len(existing.sexes) > 1 or not name_is_new)
        and (existing.region == said.region if said.region or name_is_new else True)
        and said.format in (None, existing.hints.format, existing.parser)
    )


def says_year(filename: str) -> bool:
    """Whether there is a year in a file's name."""
    return _YEAR.search(filename) is not None


_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")


def _says(of: Existing | Submission) -> tuple[str, FileHints, tuple[UUID, ...]]:
    return of.filename, of.hints, of.supersedes


def _described(of: Existing | Submission) -> str:
    said = of.hints.in_words()
    said += [f"replacing dataset {dataset}" for dataset in of.supersedes]
    return ", ".join([of.filename, *said])
