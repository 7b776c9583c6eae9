"""Submits the files that a command was given, each as a whole or split."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from app.settings import Settings
from cli.screen.progress import open_display
from cli.split import submit_split
from dataset_jobs.storage import Storage
from services.client import Client
from services.sources.source import FileOnDisk, LocalFile, NoSource, Source
from services.submit import FileOptions, SubmittedFile, one_at_a_time, submit_fetched, submit_sources


@contextmanager
def open_say(settings: Settings, sources: Sequence[Source], *, split: bool) -> Iterator[Callable[[str], None]]:
    """Shows the steps of a submission if they may take long: files from elsewhere, and what is split."""
    if split or not all(isinstance(one, FileOnDisk | NoSource) for one in sources):
        with open_display(settings) as display:
            yield display.say
    else:
        yield lambda _: None


def submit_given(
    client: Client,
    storage: Storage,
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

    def submit(file: LocalFile, shown: str) -> Sequence[SubmittedFile]:
        if split:
            return submit_split(client, storage, file.path, shown, options, settings.limits, say)
        return [submit_fetched(client.database, storage, file, shown, options)]

    return submit_sources(sources, submit, say)
