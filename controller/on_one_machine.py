"""Runs as child processes of the controller."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import NamedTuple

from app.file_storage import storage_config
from app.logs import logs_for_people
from app.settings import Settings
from controller.cluster import Cluster, own_pool
from controller.context import to_nobody
from controller.launchers.process.launcher import ProcessLauncher
from controller.launchers.process.worker import Begin
from controller.pools.source import OnePool
from dataset_jobs.host import hide_memory


class ChildProgram(NamedTuple):
    """The runner, as a child process. Both are importable by name.

    Args:
        begin: called once, before the process is told any credential.
        run: runs one run: its environment, the job's id, the epoch, the file for the termination message, the
            run's secret.
    """

    begin: Begin
    run: Callable[[Mapping[str, str], str, int, str, str], None]


@asynccontextmanager
async def on_one_machine(
    settings: Settings, conninfo: str, program: ChildProgram, changed: Callable[[], None]
) -> AsyncIterator[Cluster]:
    """A launcher of child processes, for as long as the controller runs.

    Args:
        settings: checked already.
        conninfo: of the database, for runners whose URL is not set.
        program: the runner.
        changed: called when a child has ended.
    """
    hide_memory()
    storage = storage_config(settings)
    environment = {
        **os.environ,
        **storage.to_env(),
        **settings.limits.to_env(),
        "DATABASE_URL": settings.runner_database_url or conninfo,
        "DATABASE_SCHEMA": settings.database_schema,
        "LOG_LEVEL": settings.log_level,
        "WORKER_ID": settings.worker_id,
        "LOG_FORMAT": "console" if logs_for_people(settings) else "json",
        "LOG_SINCE": datetime.now().isoformat(),
    }
    # Of a pod that has many children: each of them is a runner of its own.
    for name in ("RUNNER_DATABASE_URL", "POD_UID", "POD_NAME"):
        environment.pop(name, None)
    preload = ["parser_runner.preload", "cli.main"]
    if storage.type == "s3":
        preload.append("dataset_jobs.storage.s3")
    launcher = ProcessLauncher(
        partial(program.run, environment), preload, changed, program.begin, settings.worker_run_deadline
    )
    try:
        yield Cluster(launcher, to_nobody, OnePool(own_pool(settings)))
    finally:
        await launcher.close()
