"""`parser-runner`: what runs in a pod."""

import argparse
import os
import sys
from pathlib import Path
from uuid import UUID

from dataset_jobs.host import hide_memory, open_standard_streams
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode

TERMINATION_LOG = Path("/dev/termination-log")

_EPILOG = f"""\
exit codes:
{chr(10).join(f"  {code.value:>3}  {code.name.lower()}" for code in ExitCode)}

settings come from the environment: DATABASE_URL or RUNNER_DATABASE_URL, STORAGE_TYPE and what goes with it.

example:
  parser-runner --job-id 0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91 --epoch 1
"""


def main() -> None:
    """Parses the arguments, and runs one run."""
    hide_memory()
    open_standard_streams()
    parser = argparse.ArgumentParser(
        prog="parser-runner",
        description="Loads one dataset: takes the run that the controller claimed, and commits it or says why not.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--job-id", type=UUID, required=True, help="the job, as in `affirm-worker jobs list`")
    parser.add_argument("--epoch", type=int, required=True, help="the lease epoch of the run to take")
    parser.add_argument(
        "--message-file",
        type=Path,
        default=TERMINATION_LOG if TERMINATION_LOG.exists() else None,
        help="where the termination message goes (default: %(default)s)",
    )
    try:
        arguments = parser.parse_args()
    except SystemExit as stop:
        raise SystemExit(ExitCode.USAGE if stop.code else 0) from None
    from dataset_jobs.logs import log_json
    from parser_runner.process import run_process

    key = RunKey(arguments.job_id, arguments.epoch)
    log_json(os.environ.get("LOG_LEVEL", "INFO"), {"job_id": str(key.job_id), "epoch": key.epoch})
    sys.exit(run_process(key, os.environ, arguments.message_file))


if __name__ == "__main__":
    main()
