"""Submits the files that a command was given, each as a whole or split."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from app.settings import Settings
from cli.screen.progress import open_display
from cli.split import submit_split
from services.sources.source import FileOnDisk, LocalFile, NoSource, Source
from services.submit import FileOptions, SubmittedFile, one_at_a_time, submit_sources
from services.use_cases import FileUseCases


@contextmanager
def open_say(settings: Settings, sources: Sequence[Source], *, split: bool) -> Iterator[Callable[[str], None]]:
    """Shows the steps of a submission if they may take long: files from elsewhere, and what is split."""
    if split or not all(isinstance(one, FileOnDisk | NoSource) for one in sources):
        with open_display(settings) as display:
            yield display.say
    else:
        yield lambda _: None


def submit_given(
    files: FileUseCases,
    sources: Sequence[Source],
    options: FileOptions,
    settings: Settings,
    say: Callable[[str], None],
    *,
    split: bool,
) -> list[SubmittedFile]:
    """Fetches and submits files, one after the other.

    Args:
        split: submit the files of archives, and the regions of lists, each as one of its own.

    Raises:
        InvalidRequest: several files are to take the place of the same datasets.
        RunError: as database, storage or the machine have it.
    """
    one_at_a_time(options.replaces, 2 if split else len(sources))
    here = [one.path for one in sources if isinstance(one, FileOnDisk) and one.name is None]
    if not split and len(here) == len(sources):
        return [replace(one, path=str(one.path)) for one in files.submit_files(here, options)]

    def submit(file: LocalFile, shown: str) -> Sequence[SubmittedFile]:
        if split:
            return submit_split(files, file.path, shown, options, settings.limits, say)
        return [replace(one, path=shown) for one in files.submit_files([file.path], options)]

    return submit_sources(sources, submit, say)
