"""The command line in this process."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cli.main import app


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])
