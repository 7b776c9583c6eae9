"""`make alarms-cluster`: provokes each alert once on the local Kubernetes, and prints what was seen as a table."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.cluster import acquire
from tests.cluster_alarms.causes import ONE_BY_ONE, SIDE_BY_SIDE, Cause
from tests.cluster_alarms.place import watched
from tests.cluster_alarms.rules import VALUES, kinds_of_the_operator
from tests.cluster_alarms.watch import Seen, provoke
from tests.e2e.installation import installed, load_images, running_servers
from tests.e2e.side_by_side import side_by_side

SETTINGS = (
    *VALUES,
    "worker.pollInterval=1s",
    "api.enabled=true,api.replicas=1,api.resources.requests.cpu=20m,api.resources.requests.memory=64Mi",
)


def main() -> None:
    """Starts cluster and servers, installs the chart, and brings about one cause after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster_alarms", description=__doc__)
    parser.add_argument("alerts", nargs="*", help="only these, without AffirmWorker")
    only = parser.parse_args().alerts
    began = time.monotonic()
    with acquire() as cluster, tempfile.TemporaryDirectory() as folder:
        if not cluster.disposable:
            sys.exit("this cluster was not started by us: it is not to be broken")
        tag = load_images(cluster)
        with (
            running_servers(cluster, Path(folder, "s3")) as servers,
            kinds_of_the_operator(cluster),
            installed(cluster, servers, tag, "alarms", *SETTINGS) as installation,
            watched(installation, servers, Path(folder)) as place,
        ):
            beside = chosen(SIDE_BY_SIDE, only)
            seen: list[Seen] = []
            if beside:
                with side_by_side({cause.how: partial(provoke, place, cause) for cause in beside}) as outcomes:
                    seen += [one for outcome in outcomes.values() for one in outcome.result()]
            for cause in chosen(ONE_BY_ONE, only):
                seen += provoke(place, cause)
            if any(one.error or one.cleared is None for one in seen):
                print(installation.controller_log(), file=sys.stderr)
    print(table(seen))
    print(f"{len(seen)} alerts in {time.monotonic() - began:.0f} s")
    sys.exit(any(one.error or one.cleared is None for one in seen))


def chosen(causes: Sequence[Cause], only: Sequence[str]) -> list[Cause]:
    """Those of the named alerts, or all."""
    return [cause for cause in causes if not only or {*cause.alerts} & {*only}]


def table(seen: Sequence[Seen]) -> str:
    """As Markdown."""
    lines = ["| alert | the cause; what took it away | fired after | over after |", "| --- | --- | --- | --- |"]
    for one in seen:
        fired, cleared = ("never" if at is None else f"{at:.0f} s" for at in (one.fired, one.cleared))
        lines.append(f"| `{one.alert}` | {one.how} | {fired} | {cleared} |{one.error and f' {one.error}'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
