"""What somebody tries who has taken over a runner's pod. The pod executes this text instead of the runner.

It has one argument before the runner's own: JSON with `attempts` and `allowed` (SQL by name) and `facts` that it may
know. It prints one line of JSON, and waits to be ended.
"""

import json
import os
import signal
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

MARK = "report: "


class Quoted(dict[str, Any]):
    """Facts as SQL takes them."""

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        return value if name == "load" or isinstance(value, int) else f"'{value}'"


def tried(sql: str, facts: dict[str, Any]) -> str | None:
    """Tries some statements and undoes them: the SQLSTATE of their refusal, or none."""
    connection = psycopg.connect(os.environ["DATABASE_URL"])
    try:
        connection.execute("set local search_path = affirm; set local lock_timeout = '2s'")
        for one in (sql % Quoted(facts)).split("; "):
            connection.execute(one.encode())
    except psycopg.Error as error:
        return error.sqlstate or str(error)
    finally:
        connection.close()  # and nothing of it stays
    return None


def own_facts(job: str, secret: str) -> dict[str, Any]:
    """Takes its own run, as its runner would, and what it learns by it."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("set search_path = affirm")
        uid, pod, node = (os.environ[name] for name in ("POD_UID", "POD_NAME", "NODE_NAME"))
        take = "select runner_take(%s, 1, %s, %s, %s, %s, interval '5 minutes') -> 'assignment' ->> 'dataset_key'"
        taken = connection.execute(take, [job, secret, uid, pod, node]).fetchone()
        load = f"select runner_begin_load('{job}', 1, '{secret}', '{uid}', '60s')"
        connection.execute("begin")
        connection.execute(load.encode())
        mark = connection.execute("select current_setting('affirm.loading')").fetchone()
        connection.rollback()
    assert taken is not None and mark is not None
    return {"own_job": job, "secret": secret, "own_key": int(taken[0]), "load": load, "old_mark": mark[0]}


def processes() -> list[str]:
    """The environments of processes that it can read: its own, and whose else."""
    readable = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                readable.append(f"{folder.name} {len((folder / 'environ').read_bytes()) > 0}")
            except OSError:
                continue
    return sorted(readable)


def asked(path: str) -> int:
    """What the API server answers: an HTTP status."""
    where = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(where, context=context, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def secrets_in_files() -> list[str]:
    """What is mounted where Secrets and tokens are."""
    folders = (Path("/var/run/secrets"), Path("/run/secrets"), Path("/etc/affirm-worker"))
    return [str(path) for folder in folders if folder.exists() for path in folder.rglob("*")]


def written() -> list[str]:
    """Where it can write: its own temporary folder alone."""
    found = []
    for folder in ("/", "/etc", "/opt/affirm-worker", "/usr/bin", "/tmp"):
        try:
            path = Path(folder, "hostile")
            path.write_text("x")
            path.unlink()
            found.append(folder)
        except OSError:
            continue
    return found


def main() -> None:
    """Tries all of it, and waits: what it did must be seen while its run holds its lease."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given = json.loads(sys.argv[1])
    facts = given["facts"] | own_facts(sys.argv[sys.argv.index("--job-id") + 1], os.environ["RUN_SECRET"])
    namespace = f"/api/v1/namespaces/{given['namespace']}"
    report = {
        "refused": {name: tried(sql, facts) for name, sql in given["attempts"].items()},
        "allowed": {name: tried(sql, facts) for name, sql in given["allowed"].items()},
        "processes": processes(),
        "api": {path: asked(path) for path in (f"{namespace}/secrets", f"{namespace}/pods", "/apis/batch/v1/jobs")},
        "files": secrets_in_files(),
        "written": written(),
        "user": [os.getuid(), os.geteuid()],
        "environment": {**os.environ},
    }
    print(MARK + json.dumps(report), flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
