"""Fuzzes every format, or the named ones, one after the other, each for a number of seconds or inputs."""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parser_runner.parsers.testkit import check_input, mutated
from tests.unit.described_samples import DESCRIBED_SAMPLES
from tests.unit.parsing import source
from tests.unit.samples import ALL_PARSERS, DATA, SAMPLES

ROOT = Path(__file__).parents[2]
WORKBOOKS = {
    "it-istat-top": DATA / "it" / "2018.xls",
    "au-tas-year": DATA / "au" / "tas" / "top-baby-names-for-2016.xlsx",
    "dk-dst-newborn": DATA / "dk" / "Drenge 2019 (TOP100) - til udsendelse.xlsx",
}
FORMATS = (*SAMPLES, *DESCRIBED_SAMPLES)
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+)", re.MULTILINE)


def main() -> None:
    """Prints the result of each; the exit code is 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", choices=[*FORMATS, []], metavar="FORMAT", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each format (default: %(default)s)")
    parser.add_argument("--inputs", type=int, default=-1, help="for each format, if fewer (default: no limit)")
    parser.add_argument("--keep", type=Path, help="where to keep what was found (default: a temporary folder)")
    arguments = parser.parse_args()
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    found = [name for name in arguments.formats or FORMATS if not _fuzz(name, keep / name, arguments)]
    if not arguments.formats and not _fuzz_workbooks(keep, arguments.seconds):
        found.append("workbooks")
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


def _fuzz_workbooks(folder: Path, seconds: int) -> bool:
    """Changed bytes of real workbooks, through the process that reads them; without any coverage to go by."""
    started, inputs, read = time.monotonic(), 0, 0
    books = [(name, path.read_bytes()) for name, path in WORKBOOKS.items()]
    while time.monotonic() - started < seconds:
        name, content = books[inputs % len(books)]
        changed = mutated(content, random.Random(inputs))
        try:
            read += check_input(ALL_PARSERS[name], source(changed, WORKBOOKS[name].name))
        except Exception as error:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"workbook-{inputs}").write_bytes(changed)
            print(f"workbooks: input {inputs}, of {name}: {error!r}")
            return False
        inputs += 1
    print(f"{'workbooks':<22} {inputs:>10,} inputs, {read:,} of them read, nothing found", flush=True)
    return True


if __name__ == "__main__":
    main()
