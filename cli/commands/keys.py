"""`affirm-worker keys`."""

import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.lazy import group
from cli.options.common import AsJson, ShownColumns, Wide
from cli.screen import output
from cli.screen.table import Column, chosen
from cli.screen.words import cell
from cli.session import session
from dataset_jobs.model.durations import parse_duration
from services.keys import Key, Role
from services.to_json import to_json

MAKE_EPILOG = """
\b
Examples:
  affirm-worker keys make import --role uploader
  affirm-worker keys make dashboard --role viewer --expires-in 90d
  affirm-worker keys make import --role uploader --json
"""
LIST_EPILOG = """
\b
Examples:
  affirm-worker keys list
  affirm-worker keys list --all --json
"""
REVOKE_EPILOG = """
\b
Examples:
  affirm-worker keys revoke 3kX9mQ2z
"""
KEYS = [
    Column("id"),
    Column("name", text=True),
    Column("role"),
    Column("state"),
    Column("expires", spare=1),
    Column("last used", spare=2),
    Column("made", spare=4),
    Column("made by", text=True, spare=3),
]
commands = group("keys")


@commands.command("make", epilog=MAKE_EPILOG)
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is for, as lists and the audit have it.")],
    role: Annotated[Role, typer.Option(help="What it may do: look; upload too; everything.")],
    expires_in: Annotated[
        timedelta | None,
        typer.Option("--expires-in", parser=parse_duration, metavar="TIME", help="Its end from now on, such as 90d."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Makes a key, and prints it this once: only a hash of it is kept."""
    with session() as it:
        made = it.client.keys.make(name, role, expires_in)
    if as_json:
        output.print_json({**to_json(made.key), "key": made.text})
    else:
        output.say(made.text)
        output.say(f"key {made.key.id} of {name}: it is shown this once", to=sys.stderr)


@commands.command("list", epilog=LIST_EPILOG)
def list_keys(
    all_of_them: Annotated[bool, typer.Option("--all", help="Also those that are revoked or expired.")] = False,
    wide: Wide = False,
    columns: ShownColumns = None,
    as_json: AsJson = False,
) -> None:
    """Lists keys: who has them, what they may do, and when they were used last."""
    with session() as it:
        now = it.client.now()
        found = [key for key in it.client.keys.all() if all_of_them or is_usable(key, now)]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        KEYS,
        [
            [
                key.id, key.name, key.role, _state(key, usable=is_usable(key, now)), cell(key.expires_at),
                cell(key.last_used_at), cell(key.made_at), key.made_by,
            ]
            for key in found
        ],
        "there are no keys; affirm-worker keys make NAME --role uploader makes one",
        chosen(columns, wide),
    )  # fmt: skip


@commands.command("revoke", epilog=REVOKE_EPILOG)
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's eight characters.")]) -> None:
    """Revokes a key at once. The last one of an admin stays."""
    with session() as it:
        it.client.keys.revoke(key_id)
    output.say(f"key {key_id} is revoked")


def is_usable(key: Key, now: datetime) -> bool:
    """Whether a key lets its holder in."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _state(key: Key, *, usable: bool) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "in use" if usable else "expired"
