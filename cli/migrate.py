"""`affirm-worker migrate`."""

import typer

from cli.options import AsJson

EPILOG = """
\b
Examples:
  affirm-worker migrate
  DATABASE_URL=postgresql://owner@db/names affirm-worker migrate
"""


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(migrate)


def migrate(as_json: AsJson = False) -> None:
    """Brings the database to the schema of this version.

    Fills the table of countries too. Harmless when there is nothing to do, and when several do it at
    once. Needs a role that may create tables; one that may create roles as well sets up affirm_controller
    and affirm_runner.
    """
    from cli import output
    from cli.database import open_database
    from cli.logs import set_up_logs
    from cli.settings import read_settings
    from dataset_jobs.migrations import LATEST

    settings = read_settings()
    set_up_logs(settings)
    with open_database(settings, migrated=True) as database:
        if as_json:
            output.print_json({"applied": database.applied, "version": LATEST})
        else:
            output.say(*([f"applied {name}" for name in database.applied] or ["nothing to apply"]))
            output.say(f"the schema of {database.place} is at version {LATEST}")
