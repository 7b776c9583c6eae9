"""`make chaos-cluster N=…`: chaos on the local Kubernetes; the last line has the figures."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos_cluster.run import Report, chaos
from tests.cluster import acquire
from tests.e2e.installation import installed, load_images, running_servers


def main() -> None:
    """Starts cluster and servers, installs the chart, and lets it be hit."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos_cluster", description=__doc__)
    parser.add_argument("datasets", type=int, nargs="?", default=200, help="how many are submitted")
    parser.add_argument("--controllers", type=int, default=3)
    parser.add_argument("--maximum", type=int, default=5, help="of the pool")
    parser.add_argument("--minutes", type=float, default=0, help="how long it goes on at the least")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with acquire() as cluster, tempfile.TemporaryDirectory() as folder:
        if not cluster.disposable:
            sys.exit("this cluster was not started by us: it is not to be broken")
        settings = settings_of(given.controllers, given.maximum)
        tag = load_images(cluster)
        with (
            running_servers(cluster, Path(folder, "s3")) as servers,
            installed(cluster, servers, tag, "chaos", *settings) as installation,
        ):
            report = asyncio.run(
                chaos(
                    installation, servers, Path(folder),
                    datasets=given.datasets, maximum=given.maximum, seed=given.seed, seconds=given.minutes * 60,
                    say=lambda line: print(f"\r{line}", end="", file=sys.stderr, flush=True),
                )
            )  # fmt: skip
            print(file=sys.stderr)
            if report.wrong:
                print(installation.controller_log(), file=sys.stderr)
    show(report)
    sys.exit(0 if report.figures.good else 1)


def settings_of(controllers: int, maximum: int) -> list[str]:
    """Of the chart: retries come at once."""
    return [
        "worker.retryWaits=0s,worker.pollInterval=1s",
        f"controller.replicas={controllers},pool.maxParallelism={maximum}",
    ]


def show(report: Report) -> None:
    """The defects, the faults by kind, the peaks, and the line of figures."""
    for line in report.wrong:
        print(line, file=sys.stderr)
    for kind, count in report.faults.most_common():
        print(f"{count:6} {kind}")
    print(f"most runs that held a slot at once: {report.most_runs}; most pods that lived at once: {report.most_pods}")
    print(report.figures)


if __name__ == "__main__":
    main()
