"""One run of the chaos: submits datasets while faults go on, heals everything, and counts the defects."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dataset_jobs.model.causes import CountsAs
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from tests.chaos_cluster.faults import Faults
from tests.chaos_cluster.witness import Witness
from tests.e2e.installation import Installation, Servers
from tests.kit.figures import Figures
from tests.kit.letters import letters
from tests.kit.submit import submit

IN_QUEUE = 12
"""Unfinished jobs that there are at any time, until all are submitted."""

HEALED_SECONDS = 300
"""After the last fault everything has to come to its end in this time."""

MALFORMED_SHARE = 0.05

_YEAR_2023 = Path(__file__).parents[1] / "data" / "us" / "national" / "yob2023.txt"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures, the faults by kind, the most runs and live pods at once, and the defects in words."""

    figures: Figures
    faults: Counter[str]
    most_runs: int
    most_pods: int
    wrong: list[str]


async def chaos(
    installation: Installation,
    servers: Servers,
    folder: Path,
    *,
    datasets: int,
    maximum: int,
    seed: int,
    seconds: float = 0,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Lets the chaos go on until enough datasets are submitted, and enough time has passed.

    Args:
        installation, servers: the targets; destructive.
        folder: for the files that are submitted.
        datasets: at least so many.
        maximum: of the pool, as the controllers set it.
        seed: of the faults and the files.
        seconds: at least so long.
        say: called with how far it is.
    """
    chance = random.Random(seed)
    faults = Faults(installation, servers, chance)
    witness = Witness(installation)
    submitting = _Submitting(installation, folder, random.Random(seed + 1))
    async with witness.watching():
        began = time.monotonic()
        while len(submitting.files) < datasets or time.monotonic() - began < seconds:
            more = IN_QUEUE if time.monotonic() - began < seconds else min(IN_QUEUE, datasets - len(submitting.files))
            await asyncio.to_thread(submitting.fill, more)
            await asyncio.to_thread(faults.one)
            say(f"{len(submitting.files)} submitted, {faults.done.total()} faults, {time.monotonic() - began:.0f} s")
            await asyncio.sleep(chance.uniform(0.2, 1.2))
        while await asyncio.to_thread(_unfinished, installation) > 2:
            await asyncio.to_thread(faults.one)
            await asyncio.sleep(chance.uniform(0.2, 1.2))
        deadline = time.monotonic() + HEALED_SECONDS
        while await asyncio.to_thread(_unfinished, installation) and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
    return _audit(installation, submitting, faults, witness, maximum)


class _Submitting:
    """Submits files as a user would, again if the database was away, and remembers their contents."""

    def __init__(self, installation: Installation, folder: Path, chance: random.Random) -> None:
        self.files: dict[str, tuple[Path, bool]] = {}
        """By dataset: its file, and whether it is malformed."""
        self._installation = installation
        self._folder = folder
        self._chance = chance
        self._lines = _YEAR_2023.read_text().split()
        os.environ.update(installation.environment)  # S3's keys
        self._storage = open_storage(StorageConfig.from_env(installation.environment))

    def fill(self, most: int) -> None:
        """Submits until `most` jobs are unfinished."""
        for _ in range(most - _unfinished(self._installation)):
            path, malformed = self._file()
            for _ in range(60):
                try:
                    with Client.connect(self._installation.conninfo) as client:
                        result = submit(client, self._storage, path)
                    break
                except Exception as error:  # the database is away; the command line would say so, and be called again
                    last = error
                    time.sleep(0.5)
            else:
                raise last
            self.files[str(result.dataset_id)] = (path, malformed)

    def _file(self) -> tuple[Path, bool]:
        number = len(self.files)
        # A year and a state of its own: files of the same ones would overlap, and be refused.
        year, state = 1880 + number % 140, letters(number // 140)[-2:].upper()
        chosen = self._chance.sample(self._lines, self._chance.choice([50, 5_000, 30_000]))
        fields = [line.split(",") for line in sorted(chosen)]
        lines = [f"{state},{sex},{year},{name},{count}" for name, sex, count in fields]
        malformed = self._chance.random() < MALFORMED_SHARE
        if malformed:
            lines.insert(self._chance.randrange(len(lines)), "no comma")
        path = self._folder / f"chaos-{number}" / f"{state}-{year}.txt"
        path.parent.mkdir()
        # A name of its own makes every file another dataset.
        path.write_text("\r\n".join([*lines, f"{state},F,{year},Q{letters(number)},5", ""]))
        return path, malformed


def _unfinished(installation: Installation) -> int:
    sql = (
        "select (select count(*) from jobs where finished_at is null)"
        " + (select count(*) from runs where released_at is null and committed_at is not null) as count"
    )
    try:
        return int(installation.query(sql)[0]["count"])
    except psycopg.OperationalError:
        return IN_QUEUE


def _audit(
    installation: Installation, submitting: _Submitting, faults: Faults, witness: Witness, maximum: int
) -> Report:
    wrong: list[str] = []
    counts: Counter[str] = Counter()

    def note(what: str, job: dict[str, Any], why: str) -> None:
        counts[what] += 1
        wrong.append(f"{what}: job {job['id']}: {why}")

    jobs = installation.query(
        "select jobs.*, datasets.key as dataset_key, datasets.status,"
        " (select count(*) from runs where job_id = jobs.id and committed_at is not null) as commits,"
        " (select count(*) from runs where job_id = jobs.id and released_at is null) as held"
        " from jobs join datasets on datasets.id = dataset_id order by jobs.key"
    )
    for job in jobs:
        path, malformed = submitting.files[str(job["dataset_id"])]
        cost = faults.cost[str(job["id"])]
        expected = set() if malformed else {_as_row(line) for line in path.read_text().split()}
        rows = installation.query(
            "select concat_ws(',', year, name, gender, count) as row from names where dataset_key = %s",
            job["dataset_key"],
        )
        found = [row["row"] for row in rows]
        if job["finished_at"] is None or job["held"]:
            note("stuck", job, f"it is {job['state']}, and holds {job['held']} slots")
        elif job["state"] != ("failed" if malformed else "completed"):
            rejected = not malformed and job["last_cause"] == "rejected"
            what = "wrongly_rejected" if rejected else "wrongly_failed"
            note(what, job, f"it is {job['state']}: {job['last_cause']}: {job['last_error']}")
        elif malformed and job["last_cause"] != "rejected":
            note("wrongly_failed", job, f"it failed of {job['last_cause']}: {job['last_error']}")
        elif not expected <= set(found):
            note("lost", job, f"{len(expected - set(found))} rows are missing")
        if len(found) > len(set(found)) or not set(found) <= expected or job["commits"] > 1:
            note("duplicated", job, f"{len(found)} rows, {len(expected)} expected, {job['commits']} commits")
        attempts = cost[CountsAs.ATTEMPT] + malformed
        if job["attempts"] > attempts or job["interruptions"] > cost[CountsAs.INTERRUPTION]:
            used = f"{job['attempts']} attempts and {job['interruptions']} interruptions"
            note("wrongly_retried", job, f"{used} are used, but it was hit {dict(cost)}")
    runs = int(installation.query("select count(*) from runs")[0]["count"])
    figures = Figures(
        runs=runs,
        faults=faults.done.total(),
        lost=counts["lost"] + len(submitting.files) - len(jobs),
        duplicated=counts["duplicated"],
        cap_violations=witness.over(maximum),
        stuck=counts["stuck"],
        wrongly_rejected=counts["wrongly_rejected"],
        wrongly_failed=counts["wrongly_failed"],
        wrongly_retried=counts["wrongly_retried"],
    )
    return Report(figures, faults.done, witness.most_runs, witness.most_pods, wrong)


def _as_row(line: str) -> str:
    _, sex, year, name, count = line.split(",")
    return f"{year},{name},{sex},{count}"
