"""`affirm-worker openapi`."""

from api.app import bare_app
from api.openapi import as_text
from cli.lazy import single
from cli.screen import output

EPILOG = """
\b
Examples:
  affirm-worker openapi > openapi.json
"""
commands = single()


@commands.command(epilog=EPILOG)
def openapi() -> None:
    """Prints the OpenAPI document of the HTTP API.

    It is what a running API gives at /v1/openapi.json.
    """
    output.say(*as_text(bare_app()).rstrip("\n").split("\n"))
