"""Files as rows of the upload page: on their way into the database, checked, known already, or refused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from api.problems import Problem
from dashboard import paths
from dashboard.writing import size as written_size
from dataset_jobs.model.coverage import years_in_words
from dataset_jobs.model.sentences import Sentence, counted, sentence
from services.batches import NOTHING_TO_DO, BatchFile, Remedied, loaded, remedy_of_refusal
from services.submission import Submission
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
    dataset = file.dataset
    return FileRow(
        dataset.sha256, dataset.filename, written_size(dataset.size), file.state, file.text,
        None if file.job is None else paths.job(file.job.id), file.problems, (), file.remedy,
    )  # fmt: skip


def known_row(file: BatchFile) -> FileRow:
    """A file that nobody has to send."""
    dataset = file.dataset
    text = sentence("already here as {}: {}", dataset.filename, file.text)
    if dataset.loaded_at is not None:
        text = sentence("already loaded at {} (same bytes): {}", dataset.loaded_at, loaded(dataset))
    return replace(row_of(file), state="known", text=text, problems=(), remedy=NOTHING_TO_DO)


def refused_row(name: str, problem: Problem, key: str = "", size: int | None = None) -> FileRow:
    """A file that was not taken."""
    text = problem.detail.removeprefix(f"{name}: ")
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
    if report.recognised is not None:
        yield sentence("format {}", report.recognised)
    if report.measure is not None:
        yield sentence("{} of {}", report.measure, report.region or report.country)
    for one in report.totals[:SHOWN_TOTALS]:
        yield sentence(f"{one.year} {one.gender}: {counted(one.rows, 'row')}, {one.total:,} in all")
    if len(report.totals) > SHOWN_TOTALS:
        yield sentence(f"in all: {counted(report.rows, 'row')}, {report.total:,}")
    for reason, count in report.left_out.items():
        total = report.left_out_totals.get(reason)
        figures = f", {total:,} in all" if total else ""
        yield sentence(f"left out: {count:,} {{}}{figures}", reason)
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
