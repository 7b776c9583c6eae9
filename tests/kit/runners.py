"""Runners that tests make by hand."""

import psycopg

from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.runner import Runner


def secret_of(conninfo: str, key: RunKey) -> str:
    """The secret of a run, as the claim gives it to a controller.

    Args:
        conninfo: of the owner of the tables.
        key: the run.
    """
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as connection:
        row = connection.execute("select affirm.run_secret(%s, %s)", [key.job_id, key.epoch]).fetchone()
    assert row is not None
    return str(row[0])


def proven(conninfo: str, key: RunKey, uid: str, pod_name: str | None = None, node: str | None = None) -> Runner:
    """A runner that knows the secret of a run, as if a controller had started it."""
    return Runner(uid, pod_name, node, secret_of(conninfo, key))
