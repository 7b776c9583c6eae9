"""Compares the database at the end with the ledger and the submitted files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from controller.outcomes.retry import RetryPolicy
from dataset_jobs.model.causes import Cause, CountsAs
from dataset_jobs.model.keys import RunKey
from tests.chaos.files import MARKER, ROWS_OF_DATASETS, File
from tests.chaos.ledger import Ledger
from tests.kit.figures import Figures

_JOBS = """
select jobs.*, datasets.sha256 from jobs join datasets on datasets.id = jobs.dataset_id
"""

_TEXTS = """
select text from (
    select last_error as text from jobs union all select error from datasets union all select error from runs
    union all select outcome::text from runs union all select evidence::text from runs
    union all select decision::text from runs
) texts where text is not null and (text like %s or text like %s)
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole database against the ledger.

    Args:
        files: everything that was submitted and answered for, by sha256.
        retry: as the controllers have it.
    """

    conninfo: str
    files: Mapping[str, File]
    ledger: Ledger
    retry: RetryPolicy
    password: str
    excused: frozenset[str] = frozenset()
    """Datasets of which a job was seen failed or cancelled that is not there any more."""

    def figures(self) -> Figures:
        """Counts the defects, and adds them to the ledger."""
        with psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row) as connection:
            datasets = connection.execute(ROWS_OF_DATASETS).fetchall()
            jobs = connection.execute(_JOBS).fetchall()
            runs = connection.execute("select * from runs order by job_id, epoch").fetchall()
            told = connection.execute(_TEXTS, [f"%{MARKER}%", f"%{self.password}%"]).fetchall()
        figures = Figures(runs=len(runs), faults=self.ledger.faults.total())
        for row in told:
            self._find(figures, "lost", f"a text of the database holds what it must not: {row['text'][:200]}")
        ended = {job["sha256"] for job in jobs if job["state"] in ("failed", "cancelled")}
        self._datasets(figures, datasets, ended | self.excused)
        self._jobs(figures, jobs)
        self._runs(figures, runs, {job["id"]: job for job in jobs})
        return figures

    def _datasets(self, figures: Figures, datasets: Iterable[dict[str, Any]], excused: set[str]) -> None:
        known = {row["sha256"]: row for row in datasets}
        for sha256, file in self.files.items():
            row = known.get(sha256)
            about = f"{file.path.parent.name}/{file.path.name}"
            if row is None:
                self._find(figures, "lost", f"{about}: its dataset is gone")
            elif not file.good:
                if row["rows"]:
                    self._find(figures, "duplicated", f"{about}: rejected, and {row['rows']} rows are there")
            elif row["rows"] == 0 and sha256 in excused:
                pass  # cancelled or failed; whether rightly, its job tells
            elif row["rows"] < file.rows:
                self._find(figures, "lost", f"{about}: {row['rows']} rows of {file.rows}, {row['status']}")
            elif row["rows"] > file.rows or row["digest"] != file.digest:
                self._find(figures, "duplicated", f"{about}: {row['rows']} rows of {file.rows}, or others than its own")
            elif (row["status"], row["row_count"], row["total_count"]) != ("completed", file.rows, file.total):
                self._find(figures, "lost", f"{about}: its rows are there, but it is {row['status']}")

    def _jobs(self, figures: Figures, jobs: Iterable[dict[str, Any]]) -> None:
        for job in jobs:
            about = (
                f"job {job['id']} ({job['state']}, {job['attempts']} attempts, {job['interruptions']} interruptions)"
            )
            if job["state"] in ("scheduled", "queued", "running"):
                self._find(figures, "stuck", f"{about} has not ended: {job['last_error']}")
            elif job["state"] == "failed" and not self._may_fail(job):
                self._find(figures, "wrongly_failed", f"{about}: {job['last_cause']}: {job['last_error']}")
            elif job["state"] == "cancelled" and job["id"] not in self.ledger.cancelled:
                self._find(figures, "wrongly_failed", f"{about}: nobody has asked for it")

    def _may_fail(self, job: dict[str, Any]) -> bool:
        file = self.files.get(job["sha256"])
        cause = Cause(job["last_cause"])
        if cause is Cause.REJECTED:
            return file is not None and not file.good
        if cause.counts_as is CountsAs.ATTEMPT:
            return bool(job["attempts"] > self.retry.max_retries)
        if cause.counts_as is CountsAs.INTERRUPTION:
            return bool(job["interruptions"] > self.retry.max_interruptions)
        return False  # nothing is kept from starting for as long as that takes

    def _runs(self, figures: Figures, runs: Iterable[dict[str, Any]], jobs: Mapping[Any, dict[str, Any]]) -> None:
        commits: dict[Any, int] = {}
        rejected: set[Any] = set()
        for run in runs:
            key = RunKey(run["job_id"], run["epoch"])
            job = jobs[run["job_id"]]
            about = f"run {key}: {run['cause']}: {run['error']}"
            if run["released_at"] is None:
                self._find(figures, "stuck", f"{about}: it still holds its slot")
                continue
            commits[run["job_id"]] = commits.get(run["job_id"], 0) + (run["committed_at"] is not None)
            cause = Cause(run["cause"])
            if cause is Cause.REJECTED:
                file = self.files.get(job["sha256"])
                if file is not None and file.good:
                    self._find(figures, "wrongly_rejected", f"{about}: the file is good")
                elif run["job_id"] in rejected and not job["retried_at"]:
                    self._find(figures, "wrongly_retried", f"{about}: rejected before")
                rejected.add(run["job_id"])
            elif not self.ledger.justifies(key, cause):
                self._find(
                    figures,
                    "wrongly_retried",
                    f"{about}: what was done to it: {self.ledger.history(key)};"
                    f" runner {run['runner_uid']}, outcome {run['outcome']}, evidence {run['evidence']}",
                )
        for job_id, count in commits.items():
            if count > 1:
                self._find(figures, "duplicated", f"job {job_id} was committed {count} times")
            if (count == 1) != (jobs[job_id]["state"] == "completed"):
                self._find(figures, "lost", f"job {job_id} is {jobs[job_id]['state']} with {count} commits")

    def _find(self, figures: Figures, figure: str, what: str) -> None:
        setattr(figures, figure, getattr(figures, figure) + 1)
        self.ledger.find(f"{figure}: {what}")
