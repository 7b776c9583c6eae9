"""A runner as a process: arguments and environment in; exit code, termination message and outcome out."""

import contextlib
import gc
import logging
import os
import signal
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType

from dataset_jobs.host import check_user, host_name
from dataset_jobs.logs import DETAIL
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Misconfigured, RunError
from dataset_jobs.model.keys import RUN_SECRET, RunKey
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.session import in_schema
from dataset_jobs.storage import StorageConfig
from dataset_jobs.store.runner import Runner
from dataset_jobs.version import check_version
from parser_runner.log_tail import LogTail
from parser_runner.place import place_of_error
from parser_runner.run import Reusable, RunnerContext, run

_NOBODYS_WORK = (Cause.REJECTED, Cause.SHUT_DOWN, Cause.LOST_LEASE)
"""No operator can do anything about these."""

_log = logging.getLogger(__name__)


class _Interrupted(BaseException):
    """The process got SIGTERM."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


def run_process(
    key: RunKey, environment: Mapping[str, str], message_path: Path | None, reusable: Reusable | None = None
) -> int:
    """Runs one run, reports its outcome, and returns the exit code.

    Args:
        key: the run to take.
        environment: settings; see docs/settings.md.
        message_path: of the file for the termination message; None for no such file.
        reusable: what an earlier run of this process left for this one; None if the process runs only one.
    """
    # A run makes few reference cycles, and the process ends soon, or once it has grown large.
    gc.disable()
    signal.signal(signal.SIGTERM, _interrupt)
    lines = LogTail()
    lines.keep()
    context: RunnerContext | None = None
    try:
        context = _context(key, environment, reusable, lines)
        outcome = run(context)
    except _Interrupted:
        outcome = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
    except (Exception, SystemExit) as error:
        outcome = outcome_of(error)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    outcome = _tell(outcome, lines, message_path)
    lines.close()
    if context is not None and outcome.cause not in (Cause.COMPLETED, Cause.LOST_LEASE):
        _record(context, outcome)
    return outcome.exit_code


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of a run that raised `error`.

    An OSError or a MemoryError is the machine's fault, even if no adapter turned it into an error of the model.
    """
    if isinstance(error, RunError):
        return Outcome.of_error(error)
    if isinstance(error, (OSError, MemoryError)):
        return Outcome.of_error(machine_error(error, f"go on at {place_of_error(error)}"))
    # The text of an unforeseen error may quote the file; its place in the code cannot.
    return Outcome(Cause.CRASHED, error=f"unforeseen {type(error).__name__} at {place_of_error(error)}")


def _context(key: RunKey, environment: Mapping[str, str], reusable: Reusable | None, lines: LogTail) -> RunnerContext:
    check_version(environment)
    conninfo = environment.get("RUNNER_DATABASE_URL") or environment.get("DATABASE_URL")
    if not conninfo:
        raise Misconfigured("DATABASE_URL is not set: expected a Postgres connection URL")
    check_user("RUNNER_DATABASE_URL" if environment.get("RUNNER_DATABASE_URL") else "DATABASE_URL", conninfo)
    if schema := environment.get("DATABASE_SCHEMA"):
        with database_errors():
            conninfo = in_schema(conninfo, schema)
    uid = environment.get("POD_UID") or f"{host_name()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
    secret = environment.get(RUN_SECRET)
    if not secret:
        raise Misconfigured(f"{RUN_SECRET} is not set: the controller gives it to the runners that it starts")
    runner = Runner(uid, environment.get("POD_NAME") or None, environment.get("NODE_NAME") or host_name(), secret)
    return RunnerContext(
        key,
        runner,
        conninfo,
        StorageConfig.from_env(environment),
        limits=Limits.from_env(environment),
        reusable=reusable,
        lines=lines,
    )


def _tell(outcome: Outcome, lines: LogTail, message_path: Path | None) -> Outcome:
    """Logs the outcome, adds the log tail to it, and writes it to the message file."""
    if outcome.cause is not Cause.COMPLETED:
        level = logging.WARNING if outcome.cause in _NOBODYS_WORK else logging.ERROR
        # The controller says it again, with its decision.
        _log.log(level, "%s: %s", outcome.cause, outcome.error, extra={**_about(outcome), **DETAIL})
        outcome = replace(outcome, log=lines.lines())
    if message_path is not None:
        with contextlib.suppress(OSError):
            message_path.write_text(outcome.to_message(), encoding="utf-8")
    return outcome


def _about(outcome: Outcome) -> dict[str, str | int]:
    about: dict[str, str | int] = {"cause": str(outcome.cause), "exit_code": int(outcome.exit_code)}
    return about | ({"reason": str(outcome.reason)} if outcome.reason else {})


def _record(context: RunnerContext, outcome: Outcome) -> None:
    """Writes the whole outcome to the run. If the database does not answer, only the message has it."""
    try:
        with context.connect() as store:
            store.record_outcome(outcome, context.lines.log())
    except (RunError, OSError, MemoryError) as error:
        _log.warning("the outcome is only in the termination message: %s", error)
