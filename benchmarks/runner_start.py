"""One run of the parser-runner from a cold interpreter, watched: CPU to the first byte of COPY, and peak memory.

`python -m benchmarks.runner_start` is the watched process: parser-runner itself, but for a line on stderr when it first
writes to COPY, and one at its end.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

_MARK = "watched"


@dataclass(frozen=True, slots=True)
class Watched:
    """The figures of one runner.

    Args:
        cpu_ms: user and system time up to the first byte of COPY, the interpreter's start included.
        peak_kib: the most memory it had at once, by the kernel's high-water mark.
    """

    cpu_ms: float
    peak_kib: int


def watch(job_id: UUID, environment: Mapping[str, str]) -> Watched:
    """Runs epoch 1 of a job that is claimed already; raises RuntimeError if it does not complete."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.runner_start", "--job-id", str(job_id), "--epoch", "1"],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    marks = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith(_MARK)]
    if done.returncode or len(marks) != 2:
        raise RuntimeError(done.stderr)
    return Watched(float(marks[0][0]), int(marks[1][0]))


def median_cpu(seen: list[Watched]) -> float:
    """Of several runs."""
    return statistics.median(one.cpu_ms for one in seen)


def _main() -> None:
    # As installed: by the entry point, with nothing imported before but what watches.
    from parser_runner.__main__ import main

    import_copy_hook()
    try:
        main()
    finally:
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        print(_MARK, peak.split()[1], file=sys.stderr)


def import_copy_hook() -> None:
    """Notes the first write to COPY; psycopg would be imported by the runner anyway."""
    import psycopg

    write = psycopg.Copy.write

    def first_write(copy: Any, buffer: Any) -> None:
        print(_MARK, round(time.process_time() * 1000, 1), file=sys.stderr)
        psycopg.Copy.write = write  # type: ignore[method-assign]
        write(copy, buffer)

    psycopg.Copy.write = first_write  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    _main()
