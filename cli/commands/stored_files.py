"""`datasets clean`: stored files that no dataset refers to."""

from typing import Annotated

import typer

from cli.options.common import AsJson, Yes, duration_option
from cli.screen import output
from cli.session import session
from dataset_jobs.model.requests import Conflict
from dataset_jobs.model.sentences import counted

CLEAN_EPILOG = """
\b
Examples:
  affirm-worker datasets clean --dry-run
  affirm-worker datasets clean --older-than 7d --yes
"""


def clean(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Stored so long ago; at least 1h.")
    ] = "1d",
    even_most: Annotated[
        bool, typer.Option("--even-most", help="Also if more files are of no dataset than of one.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Removes stored files that no dataset refers to.

    A process that dies between storing a file and writing its dataset leaves one. Only files at the places of datasets
    are looked at. Storage must be of this installation alone. Asks first; without a terminal it needs --yes.
    """
    age = duration_option(older_than, "--older-than")
    removed = 0
    with session() as it:
        found = it.files.orphans(age)
        files = f"{counted(len(found.files), 'file')} ({found.size:,} bytes) that no dataset refers to"
        if found.files and not dry_run:
            output.agree(f"Remove {files}?", yes=yes)
            try:
                removed = it.files.remove_orphans(found, even_most=even_most)
            except Conflict as refused:
                raise Conflict(f"{refused}; if it is neither, add --even-most") from None
    if as_json:
        output.print_json({"files": [one.uri for one in found.files], "bytes": found.size, "removed": removed})
    elif not found.files:
        output.say(f"each of {counted(found.known, 'file')} is of a dataset")
    else:
        output.say(*(one.uri for one in found.files), f"{'would remove' if dry_run else 'removed'} {files}")
