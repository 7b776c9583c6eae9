"""The runner starts fast: what its import path must not touch. The floors themselves are held by import-linter."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = "pydantic pydantic_settings typer rich boto3 botocore kubernetes kopf aiohttp pycountry python_calamine"
IMPORTS = {
    "a child of the process launcher": "import parser_runner.preload",
    "a pod": "import parser_runner.__main__, parser_runner.process",
    "the parsers": "from parser_runner.parsers import parsers_of; parsers_of('US')",
    "local storage": (
        "import os; from dataset_jobs.storage import StorageConfig, open_storage;"
        "open_storage(StorageConfig.from_env(os.environ))"
    ),
}


@pytest.mark.parametrize("statement", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_runner_with_local_storage_imports_nothing_heavy(statement: str, tmp_path: Path) -> None:
    program = f"{statement}\nimport sys\nprint(*set({HEAVY!r}.split()).intersection(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"STORAGE_TYPE": "local", "STORAGE_PATH": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == []
