"""`affirm-worker migrate`."""

from cli.lazy import single
from cli.options.common import AsJson
from cli.screen import output
from cli.session import migrated_database
from dataset_jobs.migrations import LATEST
from services.client import Client

EPILOG = """
\b
Examples:
  affirm-worker migrate
  DATABASE_URL=postgresql://owner@db/names affirm-worker migrate
"""
commands = single()


@commands.command(epilog=EPILOG)
def migrate(as_json: AsJson = False) -> None:
    """Brings the database to the schema of this version.

    Fills the table of countries too. Harmless when there is nothing to do, and when several do it at
    once. A newer database that lets this version work is left alone. Needs a role that may create tables;
    one that may create roles as well sets up affirm_controller, affirm_runner and affirm_api.
    """
    with migrated_database() as database:
        with Client.connect(database.conninfo) as client:
            version = client.schema_version()
        if as_json:
            output.print_json({"applied": database.applied, "version": version})
            return
        output.say(*([f"applied {name}" for name in database.applied] or ["nothing to apply"]))
        output.say(f"the schema of {database.place} is at version {version}")
        if version > LATEST:
            output.say(f"this affirm-worker is older and knows version {LATEST}; it may work there")
