"""Fuzzes every format, or those that are named, one after the other, each for so many seconds or inputs."""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.unit.samples import SAMPLES

ROOT = Path(__file__).parents[2]
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+)", re.MULTILINE)


def main() -> None:
    """Prints what each came to; the exit code is 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", choices=[*SAMPLES, []], metavar="FORMAT", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each format (default: %(default)s)")
    parser.add_argument("--inputs", type=int, default=-1, help="for each format, if fewer (default: no limit)")
    parser.add_argument("--keep", type=Path, help="where to keep what was found (default: a temporary folder)")
    arguments = parser.parse_args()
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    found = [name for name in arguments.formats or SAMPLES if not _fuzz(name, keep / name, arguments)]
    print(f"found: {', '.join(found)}; the inputs are in {keep}" if found else "nothing was found")
    sys.exit(bool(found))


def _fuzz(name: str, folder: Path, arguments: argparse.Namespace) -> bool:
    options = [f"-max_total_time={arguments.seconds}", f"-runs={arguments.inputs}", "-timeout=10", "-max_len=4096"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", name, str(folder), *options, "-rss_limit_mb=1024", "-verbosity=1"],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=ROOT,
        check=False,
    )
    if summary := _DONE.search(done.stderr):
        print(f"{name:<22} {int(summary[1]):>10,} inputs, {summary[2]} places covered, nothing found", flush=True)
        return True
    print(f"{name}: exit code {done.returncode}\n{done.stderr[-3000:]}", flush=True)
    return False


if __name__ == "__main__":
    main()
