"""`helm test`: one real file goes through the HTTP API into rows; then it, and the key that it came with, go again."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

NAME = "20150309_BDM_Top-100-Baby-Names-2010.csv"
FILE = str(Path(__file__).parent / NAME)
ROWS = 203
SEEN = ["upload", FILE, "--country", "AU", "--wait", "--timeout", "4m"]
OURS = f"helm-test-{uuid.uuid4()}"


def run(environment: dict[str, str], *words: str) -> str:
    """The answer of a command of affirm-worker; what it says besides is the test's."""
    done = subprocess.run(["affirm-worker", *words], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed with exit code {done.returncode}: affirm-worker {' '.join(words)}")
    return done.stdout


def main() -> None:
    """Ends with an error if the rows of the file are not there."""
    direct = {name: value for name, value in os.environ.items() if name != "AFFIRM_WORKER_API"}
    key: dict[str, Any] = json.loads(
        run(direct, "keys", "make", OURS, "--role", "uploader", "--expires-in", "1h", "--json")
    )
    by_api = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    by_api["AFFIRM_WORKER_KEY"] = key["key"]
    try:
        print(run(by_api, *SEEN, "--batch", OURS))
        [dataset] = json.loads(run(by_api, "datasets", "list", "--file", NAME, "--json"))
        if dataset["row_count"] != ROWS:
            sys.exit(f"the file has {ROWS} rows, and the API knows of {dataset['row_count']}")
        # Otherwise somebody else loaded the same file, and wants to keep it.
        if dataset["batch"] == OURS:
            run(direct, "datasets", "delete", dataset["id"], "--yes")
    finally:
        run(direct, "keys", "revoke", key["id"])
    print(f"{ROWS} rows of {NAME} came through {os.environ['AFFIRM_WORKER_API']} into the database")


main()
