"""The product with one safety taken out, to see that the harness bites: `python -m tests.chaos.mutants NAME`."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.kit.changes import Change, changed, copy, texts_of, write

_OF_RUNS = "dataset_jobs/migrations/0020_functions_of_runs.sql"
_OF_LOADS = "dataset_jobs/migrations/0021_functions_of_loads.sql"
_REFUSED = "not is_held(of_job, of_epoch, uid) then\n        return jsonb_build_object('refused'"
_FENCE = """    where jobs.id = of_job and jobs.state = 'running' and jobs.lease_epoch = of_epoch
        and jobs.cancel_requested_at is null
        and runs.epoch = of_epoch and runs.runner_uid = uid and runs.ended_at is null
    for update;"""
_NOT_FENCED = (
    Change(_OF_LOADS, _REFUSED, "false then\n        return jsonb_build_object('refused'"),
    Change(_OF_LOADS, _FENCE, "    where jobs.id = of_job and runs.epoch = of_epoch for update;"),
)
_CLAIM = "dataset_jobs/store/sql/claim.sql"
_RESCUE = "controller/steps/rescue.py"
_STOPPED = "            await context.launcher.stop(run.key, now=run.ended_for > STOP_GRACE)\n"

MUTANTS: dict[str, tuple[Change, ...]] = {
    "the load is not fenced": _NOT_FENCED,
    "the load is not fenced, and no CHECK stands behind it": (
        *_NOT_FENCED,
        Change(
            "dataset_jobs/migrations/0001_queue_and_names.sql",
            ",\n    constraint completed_was_committed"
            " check (cause is null or (cause = 'completed') = (committed_at is not null))",
            "",
        ),
    ),
    "the maximum is counted in the claim's own statement": (
        Change(_CLAIM, "where name = %(pool)s for no key update", "where name = %(pool)s"),
        Change(
            "dataset_jobs/store/controller.py",
            "free = min(limit, _free_slots(pool_row, held))",
            "free = limit",
        ),
        Change(
            _CLAIM,
            "limit %(limit)s",
            "limit least(%(limit)s, greatest(0, (select max_running from pools where name = %(pool)s)"
            " - (select count(*) from runs where pool = %(pool)s and released_at is null)))",
        ),
    ),
    "a list that fails reads as an empty one": (
        Change(
            "controller/launchers/kubernetes/launcher.py",
            "        self._api = api\n",
            "        self._api = _FailsOpen(api)\n",
        ),
        Change(
            "controller/launchers/kubernetes/launcher.py",
            "def _refusal(",
            """class _FailsOpen:
    def __init__(self, api):
        self._api = api

    def __getattr__(self, name):
        method = getattr(self._api, name)

        async def call(*args, **kwargs):
            try:
                return await method(*args, **kwargs)
            except Exception:
                if name in ("list_jobs", "list_pods"):
                    return []
                raise

        return call


def _refusal(""",
        ),
    ),
    "the epoch does not rise": (
        Change(_CLAIM, "lease_epoch = lease_epoch + 1", "lease_epoch = 1"),
        Change(
            _CLAIM,
            "clock_timestamp() + %(lease)s from picked\n",
            "clock_timestamp() + %(lease)s from picked\n"
            "    on conflict (job_id, epoch) do update set launched_at = null, launch_name = null, started_at = null,"
            " runner_uid = null, committed_at = null, outcome = null, ended_at = null, cause = null, reason = null,"
            " error = null, evidence = null, released_at = null\n",
        ),
    ),
    "what an ended runner left in its load is not ended": (
        Change(
            "dataset_jobs/store/settle.py",
            "    async def _end_load(self, key: RunKey) -> None:\n",
            "    async def _end_load(self, key: RunKey) -> None:\n        return\n",
        ),
        Change(_OF_RUNS, "'still_loading', end_earlier_loads(of_job, of_epoch))", "'still_loading', 0)"),
    ),
    "a run that is not listed is settled without asking for it by name": (
        Change(
            _RESCUE,
            "observed.missing():\n        found = await context.launcher.get(run.key)\n",
            "observed.missing():\n        found = None\n",
        ),
    ),
    "a slot is freed before the pod is gone": (
        Change(_RESCUE, _STOPPED, f"            await settle(context, run, Evidence(gone=True))\n{_STOPPED}"),
    ),
    "what is left of a pod whose runner is over is not stopped": (
        Change("controller/steps/settle.py", "    if evidence.left_running:\n", "    if False:\n"),
        Change(_RESCUE, "        if seen.evidence.left_running:\n", "        if False:\n"),
    ),
    "a full disk is taken for a damaged file": (
        Change(
            "parser_runner/machine.py",
            '            raise machine_error(error, f"{verb} {self._what()}") from None\n',
            "            raise\n",
        ),
    ),
    "a reader of workbooks that was killed is taken for a workbook that is too large": (
        Change("parser_runner/parsers/reader_process.py", "        if by == signal.SIGKILL:\n", "        if False:\n"),
        Change(
            "parser_runner/parsers/reader_process.py",
            "_BY_ITS_OWN_CODE = {signal.SIGABRT",
            "_BY_ITS_OWN_CODE = {signal.SIGKILL, signal.SIGABRT",
        ),
    ),
    "no answer to a launch reads as a refusal": (
        Change(
            "controller/steps/launch.py",
            "        except LaunchRefused as refused:\n",
            "        except (LaunchRefused, Unavailable) as error:\n"
            "            refused = LaunchRefused(str(error), error.reason)\n",
        ),
        Change(
            "controller/steps/launch.py",
            "    if isinstance(run, ClaimedRun) and await context.launcher.get(run.key) is None:\n",
            "    if True:\n",
        ),
    ),
}
"""What was taken out, in words, and how."""


@dataclass(frozen=True, slots=True)
class Search:
    """How a mutant is found sooner.

    Args:
        often: what shows it, and should happen oftener; of `tests.chaos.virtual.OFTEN`.
        runs: of each try. What is seen only at the end needs few, and more tries.
    """

    often: tuple[str, ...] = ()
    runs: int = 300


SEARCHES = {
    "the load is not fenced": Search(("zombie",)),
    "the load is not fenced, and no CHECK stands behind it": Search(("zombie",)),
    "a list that fails reads as an empty one": Search(("list fails",)),
    "what an ended runner left in its load is not ended": Search(("zombie",)),
    "what is left of a pod whose runner is over is not stopped": Search(runs=60),
    "a full disk is taken for a damaged file": Search(("a fault of the machine", "workbooks"), runs=60),
    "a reader of workbooks that was killed is taken for a workbook that is too large": Search(
        ("a fault of the machine", "workbooks"), runs=60
    ),
    "no answer to a launch reads as a refusal": Search(runs=60),
}


def mutate(folder: Path, changes: tuple[Change, ...]) -> None:
    """Copies the checkout to a folder that does not exist yet and changes it; raises where a change does not fit."""
    copy(folder)
    write(folder, changed(texts_of(folder, changes), changes))


def chaos(folder: Path, name: str, seed: int) -> "subprocess.CompletedProcess[str]":
    """Chaos over the mutant in a folder, until the first finding."""
    search = SEARCHES.get(name, Search())
    often = [f"--often={what}" for what in search.often]
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", str(search.runs), "--seed", str(seed), "--first", *often],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def main() -> None:
    """Runs one, or all, and shows the findings."""
    for name, changes in MUTANTS.items():
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="affirm-mutant-") as above:
            folder = Path(above, "copy")
            mutate(folder, changes)
            done = chaos(folder, name, 1)
        print(f"== {name}: exit {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}", flush=True)


if __name__ == "__main__":
    main()
