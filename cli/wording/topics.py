"""What `affirm-worker help TOPIC` prints, from the same objects as the documents."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

Block: TypeAlias = str | list[tuple[str, str]]
"""A paragraph, or words with their meanings."""

_LABEL = 14
"""Meanings stand beside words of at most this width, else below them."""


def _states() -> Iterator[Block]:
    from dataset_jobs.model.meanings import DATASET_STATUSES, JOB_STATES

    yield "A dataset is one file. A job is one request to load it. A run is one try at a job."
    yield "Datasets, as affirm-worker datasets list shows them:"
    yield [*DATASET_STATUSES.items()]
    yield "Jobs, as affirm-worker jobs list shows them:"
    yield [*JOB_STATES.items()]
    yield "docs/states.md also has the moves between them."


def _causes() -> Iterator[Block]:
    from dataset_jobs.model.causes import Cause, CountsAs
    from dataset_jobs.model.meanings import CAUSES, NEXT

    yield (
        "Each run that has ended has one cause, and the cause decides what the job does next. An attempt was the run's "
        "own fault: the job is tried again after WORKER_RETRY_WAITS, up to WORKER_MAX_RETRIES times. An interruption "
        "was the fault of the infrastructure: the job is queued again at once. affirm-worker jobs explain ID tells the "
        "causes of one job, and what to do."
    )
    yield [
        (
            str(cause) if cause.counts_as is CountsAs.NEITHER else f"{cause} ({cause.counts_as})",
            f"{CAUSES[cause]} {next_}",
        )
        for cause, next_ in NEXT.items()
    ]
    yield f"There are {len(Cause)} of them. docs/states.md has the rules."


def _exit_codes() -> Iterator[Block]:
    from cli.exit_codes import IN_WORDS
    from dataset_jobs.model.meanings import EXIT_CODES

    yield "Of affirm-worker:"
    yield [(f"{code:>3}", words) for code, words in IN_WORDS.items()]
    yield "Of parser-runner, in the pods and child processes of runs:"
    yield [(f"{code.value:>3}", words) for code, words in EXIT_CODES.items()]


def _formats() -> Iterator[Block]:
    from parser_runner.parsers import countries, parsers_of

    yield (
        "affirm-worker reads the files of the publishers below as they are, or compressed. The content decides the "
        "format; --format NAME is for a file that fits several. affirm-worker parsers list describes a file of each, "
        "and affirm-worker parse FILE --country CC --report shows what is in a file. Any other list is read by "
        "--columns or --description. docs/formats.md has the rules."
    )
    yield [(code, ", ".join(parser.name for parser in parsers_of(code))) for code in countries() if parsers_of(code)]


def _settings() -> Iterator[Block]:
    from app.settings import Settings, allowed, default_in_words

    yield (
        "Settings are environment variables, or values of a context of the config file (affirm-worker context); the "
        "environment goes first, and an empty value counts as unset. Every command checks them when it starts, and "
        "refuses a wrong one with exit code 78. Durations are numbers with units: 500ms, 5s, 1m30s, 2h, 7d. "
        "affirm-worker settings shows each value and where it is from."
    )
    yield [
        (
            name.upper(),
            f"{field.description} Allowed: {allowed(field)}. Default: {default_in_words(field) or 'none'}.",
        )
        for name, field in Settings.model_fields.items()
    ]


TOPICS: dict[str, tuple[str, Callable[[], Iterable[Block]]]] = {
    "states": ("The states of datasets and jobs.", _states),
    "causes": ("Why runs end, and what follows.", _causes),
    "exit-codes": ("The exit codes of affirm-worker and of parser-runner.", _exit_codes),
    "formats": ("The formats of files, by country.", _formats),
    "settings": ("The environment variables that commands read.", _settings),
    "environment": ("The same as settings.", _settings),
}
"""Each topic with its line in the list of topics, and its content."""


def topic_lines(topic: str, width: int) -> Iterator[str]:
    """The lines of one of TOPICS, none wider than `width`, except for words that are."""
    for number, block in enumerate(TOPICS[topic][1]()):
        if number:
            yield ""
        yield from _paragraph(block, width) if isinstance(block, str) else definitions(block, width)


def definitions(entries: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """Words with their meanings, beside each other if the words are short."""
    shown = [(label.replace("`", ""), text.replace("`", "")) for label, text in entries]
    widest = max(len(label) for label, _ in shown)
    for label, text in shown:
        if widest <= _LABEL:
            first, indent = f"  {label.ljust(widest)}  ", " " * (widest + 4)
            yield from _paragraph(text, width, first, indent)
        else:
            yield f"  {label}"
            yield from _paragraph(text, width, " " * 6, " " * 6)


def _paragraph(text: str, width: int, first: str = "", indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
