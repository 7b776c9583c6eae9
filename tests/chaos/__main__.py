"""`make chaos N=…`: many loads while everything dies, and one line of figures at the end."""

import argparse
import asyncio
import json
import logging
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.chaos.files import MARKER
from tests.chaos.ledger import NothingSecret
from tests.chaos.processes import Processes
from tests.chaos.virtual import OFTEN, Chaos
from tests.faults import clock
from tests.kit.figures import Figures
from tests.servers.postgres import PostgresServer

PROCESS_SHARE, MIN_PROCESS_RUNS = 40, 15
"""One run of so many is a real process."""


def main() -> int:
    """Reads the arguments, runs, and prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=500, help="after so many it is left in peace")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="printed at the beginning")
    parser.add_argument("--json", action="store_true", help="the figures once more, for programs")
    parser.add_argument("--first", action="store_true", help="stop at the first thing that is wrong")
    parser.add_argument("--often", action="append", default=[], choices=OFTEN, help="happens oftener than otherwise")
    arguments = parser.parse_args()
    print(f"chaos: {arguments.runs} runs, seed {arguments.seed}", flush=True)
    began = time.monotonic()
    figures, faults, findings = run(arguments.runs, arguments.seed, arguments.first, arguments.often)
    for finding in findings[:50]:
        print(f"  {finding}")
    width = max(len(kind) for kind in faults)
    for kind, count in sorted(faults.items()):
        print(f"{kind:<{width}}  {count:>6}")
    print(f"{time.monotonic() - began:.0f} s")
    if arguments.json:
        print(json.dumps({"seed": arguments.seed, **asdict(figures), "by_kind": dict(faults)}))
    print(figures)
    return 0 if figures.good and not findings else 1


def run(runs: int, seed: int, first: bool, often: Sequence[str] = ()) -> tuple[Figures, Counter[str], list[str]]:
    """The whole: figures, faults by kind, and findings in words."""
    real = 0 if first else max(MIN_PROCESS_RUNS, runs // PROCESS_SHARE)
    with PostgresServer() as server, tempfile.TemporaryDirectory(prefix="affirm-chaos-") as folder:
        conninfo = server.create_database("chaos")
        clock.prepare(conninfo)
        (Path(folder) / "virtual").mkdir()
        chaos = Chaos(conninfo, server.password, Path(folder) / "virtual", runs - real, seed, _say, first, often)
        logging.basicConfig(level=logging.INFO, handlers=[NothingSecret(chaos.ledger, server.password, MARKER)])
        figures = asyncio.run(chaos.run())
        faults, findings = Counter(chaos.ledger.faults), [*chaos.ledger.findings]
        if real:
            _say(f"{figures.runs} runs in virtual time; now with real processes")
            conninfo = server.create_database("processes")
            clock.prepare(conninfo)
            (Path(folder) / "processes").mkdir()
            processes = Processes(conninfo, server.password, Path(folder) / "processes", real, seed)
            figures += processes.run()
            faults.update({f"process: {kind}": count for kind, count in processes.ledger.faults.items()})
            findings += processes.ledger.findings
        return figures, faults, findings


def _say(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
