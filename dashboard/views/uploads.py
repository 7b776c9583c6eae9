"""Files as rows of the upload page: on their way into the database, checked, known already, or refused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from api.problems import Problem
from dashboard import paths
from dashboard.writing import size as written_size
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.sentences import Sentence, counted, sentence
from services.batches import NOTHING_TO_DO, BatchFile, Remedied, loaded, remedy_of_refusal, without_name
from services.report_words import about_the_file, left_out
from services.submission import Submission, says_year
from services.validation import Overlap, Validation

SHOWN_TOTALS = 10
"""Years and sexes that are shown one by one."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row.

    Args:
        key: the hash of its bytes, by which rows of the same file are the same; empty if it is not known.
        size: in words.
        state: of its job; or checked, known, refused.
        text: where it stands, or what is wrong with it.
        href: where there is more of it.
        problems: what is wrong with it, each in a line.
        report: what is in it, of a file that was checked.
        remedy: what a person does about it.
    """

    key: str
    name: str
    size: str
    state: str
    text: Sentence
    href: str | None = None
    problems: Sequence[str] = ()
    report: Sequence[Sentence] = ()
    remedy: Remedied = NOTHING_TO_DO

    @property
    def is_wrong(self) -> bool:
        """Somebody has to do something about it."""
        return self.state in ("failed", "refused")

    @property
    def as_text(self) -> Iterator[str]:
        """What is wrong with it, for whoever publishes the file."""
        yield f"{self.name}: {self.text}"
        yield from (f"  {problem}" for problem in self.problems)
        if self.remedy.text:
            yield f"  {self.remedy.text}"


def row_of(file: BatchFile) -> FileRow:
    """A file that is there."""
    dataset, job = file.dataset, file.job
    href = paths.dataset(dataset.id) if job is None or dataset.loaded_at is not None else paths.job(job.id)
    return FileRow(
        dataset.sha256, dataset.filename, written_size(dataset.size), file.state, file.text, href, file.problems, (),
        file.remedy,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A file that somebody has chosen.

    Args:
        name: as it is called there.
        size: bytes.
        sha256: of its bytes; empty if the browser cannot say.
    """

    name: str
    size: int
    sha256: str = ""


def chosen_rows(files: Sequence[ChosenFile], known: Sequence[BatchFile], most: int) -> Iterator[FileRow]:
    """Chosen files, in their order.

    Args:
        known: those that are datasets already.
        most: bytes that a file may have.
    """
    there = {one.dataset.sha256: one for one in known if one.is_there}
    first: dict[str, str] = {}
    for file in files:
        row = FileRow(file.sha256, file.name, written_size(file.size), "chosen", Sentence())
        if file.sha256 and file.sha256 in first:
            yield replace(row, key="", state="twice", text=sentence("the same bytes as {}", first[file.sha256]))
        elif file.sha256 in there:
            yield known_row(there[file.sha256], file.name)
        elif file.size > most:
            yield replace(row, state="refused", text=sentence(f"a file may have {most:,} bytes at most"))
        else:
            yield replace(row, remedy=Remedied(asks=() if says_year(file.name) else ("year", "sex")))
        first.setdefault(file.sha256, file.name)


def known_row(file: BatchFile, name: str) -> FileRow:
    """A file that nobody has to send; here it is called so."""
    dataset = file.dataset
    as_ = "" if name == dataset.filename else f" as {dataset.filename}"
    text = sentence("already here{} (same bytes): {}", Sentence((as_,)), file.text)
    if dataset.loaded_at is not None:
        text = sentence(
            "already loaded at {}{} (same bytes): {}", dataset.loaded_at, Sentence((as_,)), loaded(dataset)
        )  # fmt: skip
    return replace(row_of(file), name=name, state="known", text=text, problems=(), remedy=NOTHING_TO_DO)


def refused_row(name: str, problem: Problem, key: str = "", size: int | None = None) -> FileRow:
    """A file that was not taken."""
    text = without_name(problem.detail, name)
    return FileRow(
        key, name, "" if size is None else written_size(size), "refused", sentence("{}", text), remedy=_helps(problem)
    )


def checked_row(file: Submission, found: Validation) -> FileRow:
    """A file that was only checked."""
    report = found.report
    row = FileRow(file.sha256, file.filename, written_size(file.size), "checked", Sentence(), None)
    lines = [*_report(found)]
    if found.ok:
        names = sentence("nothing is wrong with it: {}", _in_it(found))
        if found.dataset_id is not None:
            names = sentence("{}; these bytes are a dataset already", names)
        return replace(row, text=names, report=lines)
    first, *others = [str(one) for one in found.problems]
    more = report.rejected.more if report.rejected is not None else 0
    others += [f"and {counted(more, 'more problem')}"] if more else []
    return replace(row, state="refused", text=sentence("{}", first), problems=others, report=lines, remedy=_fix(found))


def _in_it(found: Validation) -> Sentence:
    report = found.report
    return sentence(
        "{}, {}, {}", counted(report.rows, "name"), years_in_words(report.years), " and ".join(report.sexes)
    )


def _report(found: Validation) -> Iterator[Sentence]:
    """What is in a file, and what a load of it would do."""
    report = found.report
    yield from (sentence("{}: {}", *one) for one in about_the_file(report))
    if len(report.totals) <= SHOWN_TOTALS:
        for one in report.totals:
            yield sentence(f"{one.year} {one.gender}: {counted(one.rows, 'row')}, {one.total:,} in all")
    for count, words in left_out(report):
        yield sentence(f"left out: {count:,} {{}}", words)
    for reason, count in report.added.items():
        yield sentence(f"added to another record of the same name: {count:,} {{}}", reason)
    yield from (_replaced(one) for one in found.overlaps if one.replaced)


def _replaced(one: Overlap) -> Sentence:
    return sentence("would replace {}: {}, {}", one.filename, years_in_words(one.years), " and ".join(one.sexes))


def _fix(found: Validation) -> Remedied:
    rejected = found.report.rejected
    if rejected is not None and rejected.reason is not None:
        return remedy_of_refusal(rejected.reason, rejected.hints)
    return Remedied(replaces=tuple(str(one.dataset_id) for one in found.overlaps if not one.replaced))


def _helps(problem: Problem) -> Remedied:
    """What is said of a file may be at fault, and is then said anew."""
    return Remedied(asks=tuple(one["field"] for one in problem.errors if one["field"] in ("year", "sex", "format")))


def tally(rows: Iterable[FileRow]) -> Mapping[str, int]:
    """How many rows are in each state, the most frequent first."""
    return dict(Counter(row.state for row in rows).most_common())
