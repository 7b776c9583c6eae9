"""The runner as a child of the controller, forked from a parent that imported `preload`."""

import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from dataset_jobs.host import hide_memory
from dataset_jobs.logs import log_for_people, log_json
from dataset_jobs.model.keys import RUN_SECRET, RunKey
from dataset_jobs.model.outcome import ExitCode
from parser_runner.apart.parser import ParserParent
from parser_runner.process import run_process
from parser_runner.run import Reusable

REUSED_KIB = 128 * 1024
"""A process that grew larger than this ends, so that its memory is free again."""

_reusable = Reusable()


def begin(writable: str) -> None:
    """Forks the process that starts parsers, as long as this one knows no credential and has no other thread.

    Args:
        writable: the folder for the temporary files of parsers.
    """
    _reusable.parsers = ParserParent.forked(writable)


def run_child(environment: Mapping[str, str], job_id: str, epoch: int, message_path: str, secret: str) -> None:
    """Runs one run. Returns if it completed and this process can take another one; exits otherwise.

    Args:
        environment: the runner's settings, as in a pod; also those that libraries read by themselves.
        job_id, epoch: the run to take.
        message_path: where the termination message goes.
        secret: of the run; it comes by the pipe, so that it is in nobody's environment.
    """
    hide_memory()
    os.environ.update(environment)
    # Ctrl-C and a closed terminal reach the whole process group, but the controller decides when its children stop.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    key = RunKey(UUID(job_id), epoch)
    level = environment.get("LOG_LEVEL", "INFO")
    context = {"worker_id": environment.get("WORKER_ID", ""), "job_id": job_id, "epoch": epoch}
    if environment.get("LOG_FORMAT") == "console":
        since = datetime.fromisoformat(environment["LOG_SINCE"]) if "LOG_SINCE" in environment else None
        log_for_people(level, context, since)
    else:
        log_json(level, context)
    code = run_process(key, {**environment, RUN_SECRET: secret}, Path(message_path), _reusable)
    sys.stderr.flush()
    if code != ExitCode.COMPLETED or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > REUSED_KIB:
        logging.shutdown()
        # No interpreter shutdown: everything is written and closed.
        os._exit(code)
