"""How long a job stands still when its pod dies: from the pod's death to the job running again, backoff set to zero.

50 pods are evicted and 50 are killed, each in the middle of its load. Evicted pods are asked to end and end at once.
"""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import Figure, report
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from tests.cluster import acquire
from tests.e2e.installation import Installation, evict, installed, load_images, running_servers
from tests.e2e.loads import COPY_WAITS, copy_held_up, variant
from tests.kit.submit import submit
from tests.servers.processes import pids_of

TIMES = 50

STARTED_AGAIN = "select started_at from runs where job_id = %s and epoch = 2 and started_at is not null"


def kill(installation: Installation, job_id: str) -> None:
    """Kills the runner's process, as the kernel would."""
    [pid] = pids_of("parser-runner", "--job-id", job_id)
    os.kill(pid, signal.SIGKILL)


def evict_pod_of(installation: Installation, job_id: str) -> None:
    """Evicts the runner's pod by the Eviction API, as a drain does."""
    [run] = installation.query("select pod_name from runs where job_id = %s and released_at is null", job_id)
    evict(installation, run["pod_name"])


def gone(job_id: str) -> float:
    """When the runner's process was gone, by this host's clock."""
    while pids_of("parser-runner", "--job-id", job_id):
        time.sleep(0.005)
    return time.time()


def measure(installation: Installation, folder: Path, take: Callable[[Installation, str], None]) -> list[float]:
    """Seconds from the death of the runner's process to the next runner having taken the job, one job at a time."""
    os.environ.update(installation.environment)
    storage = open_storage(StorageConfig.from_env(installation.environment))
    seconds = []
    for number in range(TIMES):
        path = variant(folder, 1900 + number)
        installation.query("update pools set paused = true")
        with Client.connect(installation.conninfo) as client:
            submitted = submit(client, storage, path)
        job_id = str(submitted.job_id)
        with copy_held_up(installation, str(submitted.dataset_id), 1900 + number):
            installation.query("update pools set paused = false")
            installation.until(COPY_WAITS)
            take(installation, job_id)
            died = gone(job_id)
            [again] = installation.until(STARTED_AGAIN, job_id)
        seconds.append(again["started_at"].timestamp() - died)
        installation.until("select 1 from jobs where id = %s and state = 'completed'", job_id)
        with Client.connect(installation.conninfo) as client:
            installation.until("select 1 where not exists (select from runs where released_at is null)")
            assert submitted.dataset_id is not None
            client.datasets.delete(submitted.dataset_id, storage)
    return seconds


def figures(name: str, seconds: list[float]) -> list[Figure]:
    """Median and maximum."""
    return [
        Figure(f"{name}: death to running again, median of {len(seconds)}", statistics.median(seconds), "s"),
        Figure(f"{name}: death to running again, maximum", max(seconds), "s"),
    ]


def main() -> None:
    """Starts the cluster, installs the chart, and measures."""
    with acquire() as cluster, tempfile.TemporaryDirectory() as folder:
        tag = load_images(cluster)
        with (
            running_servers(cluster, Path(folder, "s3")) as servers,
            installed(cluster, servers, tag, "recovery", "worker.retryWaits=0s") as installation,
        ):
            found = []
            for name, take in (("evicted", evict_pod_of), ("killed by SIGKILL", kill)):
                found += figures(name, measure(installation, Path(folder), take))
            report("recovery", found)


if __name__ == "__main__":
    main()
