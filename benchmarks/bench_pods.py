"""How long a user waits on a real cluster: submit to Job, and pod end to settled; 50 jobs, one after the other."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from kubernetes.aio.client import ApiClient, BatchV1Api, CoreV1Api
from kubernetes.aio.watch import Watch

from benchmarks.report import Figure, report
from controller.launchers.kubernetes.api import load_configuration
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from tests.cluster import acquire
from tests.e2e.installation import Installation, installed, load_images, running_servers
from tests.kit.submit import submit

JOBS = 50


class Sightings:
    """When this host first saw each Job, and the end of each pod, by job id."""

    def __init__(self) -> None:
        self.job_exists: dict[str, float] = {}
        self.pod_ended: dict[str, float] = {}

    def job(self, job: dict[str, Any]) -> None:
        """An event about a Job."""
        self.job_exists.setdefault(job["metadata"]["labels"]["affirm.dev/job-id"], time.time())

    def pod(self, pod: dict[str, Any]) -> None:
        """An event about a pod."""
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            self.pod_ended.setdefault(pod["metadata"]["labels"]["affirm.dev/job-id"], time.time())


@asynccontextmanager
async def watching(installation: Installation) -> AsyncIterator[Sightings]:
    """Watches Jobs and pods of the installation."""
    seen = Sightings()
    async with ApiClient(await load_configuration(installation.cluster.kubeconfig)) as client:

        async def follow(list_call: Any, note: Any) -> None:
            stream = Watch().stream(
                list_call, installation.namespace, label_selector="app=affirm-parser", timeout_seconds=3600
            )
            async for event in stream:
                note(event["raw_object"])

        tasks = [
            asyncio.create_task(follow(BatchV1Api(client).list_namespaced_job, seen.job)),
            asyncio.create_task(follow(CoreV1Api(client).list_namespaced_pod, seen.pod)),
        ]
        await asyncio.sleep(1)
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()


async def measure(installation: Installation, folder: Path) -> list[Figure]:
    """Submits the jobs one after the other, each when the one before is settled."""
    os.environ.update(installation.environment)
    storage = open_storage(StorageConfig.from_env(installation.environment))
    async with watching(installation) as seen:
        with Client.connect(installation.conninfo) as client:
            for number in range(JOBS):
                path = folder / f"yob{1900 + number}.txt"
                path.write_text(f"Mary,F,{number + 5}\r\n")
                result = await asyncio.to_thread(submit, client, storage, path)
                await asyncio.to_thread(
                    installation.until,
                    "select 1 from runs where job_id = %s and released_at is not null",
                    result.job_id,
                )
        await asyncio.sleep(1)
    runs = installation.query(
        "select job_id::text, created_at, committed_at, released_at from runs join jobs on jobs.id = job_id"
    )
    assert len(runs) == JOBS
    to_job = [seen.job_exists[run["job_id"]] - _seconds(run["created_at"]) for run in runs]
    to_settled = [max(0.0, _seconds(run["released_at"]) - seen.pod_ended[run["job_id"]]) for run in runs]
    whole = [_seconds(run["released_at"]) - _seconds(run["created_at"]) for run in runs]
    committed = [_seconds(run["released_at"]) - _seconds(run["committed_at"]) for run in runs]
    return [
        *_figures("submit to Job object", to_job),
        *_figures("pod end seen to settled", to_settled),
        *_figures("commit in the pod to settled", committed),
        *_figures("submit to settled", whole),
    ]


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _figures(name: str, seconds: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}, median of {len(seconds)}", statistics.median(seconds) * 1000, "ms"),
        Figure(f"{name}, maximum", max(seconds) * 1000, "ms"),
    ]


def main() -> None:
    """Starts the cluster, installs the chart, and measures."""
    with acquire() as cluster, tempfile.TemporaryDirectory() as folder:
        tag = load_images(cluster)
        with (
            running_servers(cluster, Path(folder, "s3")) as servers,
            installed(cluster, servers, tag, "pods") as installation,
        ):
            report("pods", asyncio.run(measure(installation, Path(folder))))


if __name__ == "__main__":
    main()
