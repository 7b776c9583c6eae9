"""Every piece of advice is provoked, followed to the letter, and must help.

A new cause, reason, action, obstacle or state of a job without a case here fails `test_every_piece_of_advice_is_tried`.
"""

import asyncio
import re
import shlex
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from controller.background.presence import keep_present
from controller.launchers.interface import LaunchRefused
from controller.outcomes.retry import RetryPolicy
from dataset_jobs.model.advice import ADVICE, HINTED, REASONS, WHOLE_FILE
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.hints import Action
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence, SeenAs
from dataset_jobs.model.states import JobState
from services.status import Kind
from tests.fakes.launcher import FakeLauncher, Moody
from tests.integration.command_line import ROOT, Run, answer, bare, runner
from tests.integration.world import AT_ONCE, NO_RETRIES, World, key_of
from tests.outages.inline import InlineLauncher, until_idle

GOOD = "Mary,F,2020\nJohn,M,2020\n"


@dataclass(slots=True)
class Trial:
    """One situation, and a person in it who reads and types.

    Args:
        world: the installation.
        run: types a command, in the folder of the files.
        about: what the advice is on.
    """

    world: World
    run: Run
    about: Any

    def file(self, name: str = "yob2020.txt", content: str | bytes = GOOD) -> Path:
        return self.world.file(name, content)

    def submit(self, *arguments: str | Path) -> UUID:
        """Submits by the command line; the job."""
        [submitted] = answer(self.run("submit", *arguments, "--json"))
        return UUID(submitted["job_id"])

    def told(self, job_id: UUID) -> str:
        return self.run("jobs", "explain", str(job_id)).stdout

    def commands(self, text: str) -> list[list[str]]:
        """The commands that a text names, each to the end of its line, or to the next one."""
        program = r"(?:\w+=\S+ )*(?:\S*/)?affirm-worker "
        lines = re.findall(rf"{program}(.*?)(?: or (?={program})|$)", text, re.MULTILINE)
        return [shlex.split(line) for line in lines]

    def command(self, text: str, first: str) -> list[str]:
        """The one command that begins so."""
        [found] = [words for words in self.commands(text) if " ".join(words).startswith(first)]
        return found

    def do(self, words: Sequence[str], code: int = 0, **settings: str) -> str:
        """Types a command; who is asked says yes."""
        more = ["--yes"] if list(words[:2]) == ["datasets", "delete"] else []
        more += ["--until-idle"] if words[0] == "run" else []
        return self.run(*words, *more, code=code, **settings).stdout

    async def work(self) -> None:
        """Runs a controller until all jobs are over."""
        launcher = InlineLauncher(self.world.storage_config, self.world.conninfo)
        async with self.world.controller(launcher, retry=AT_ONCE) as reconciler:
            await until_idle(self.world, reconciler, 20)

    async def end(self, evidence: Evidence, retry: RetryPolicy = AT_ONCE) -> UUID:
        """A job whose run ended so."""
        job_id = self.world.submit(self.file()).job_id
        launcher = FakeLauncher()
        async with self.world.controller(launcher, retry=retry) as reconciler:
            await reconciler.tick()
            self.world.query("update runs set started_at = now(), runner_uid = 'pod-1'")
            launcher.end(key_of(self.world.job(job_id)), evidence)
            reconciler.stop_claiming()
            await reconciler.tick()
        return job_id

    def loaded(self, job_id: UUID) -> bool:
        return bool(self.world.job(job_id)["state"] == "completed")

    def due(self) -> None:
        """The waits of jobs and pools are over."""
        self.world.query("update pools set probe_at = now() where blocked_since is not null")
        self.world.query("update jobs set run_at = now() where state = 'scheduled'")


Case = Callable[[Trial], Awaitable[None]]
CASES: dict[str, tuple[Any, Case]] = {}
"""By the name of what the advice is on."""


def name_of(about: Any) -> str:
    """Words of two enums may be equal, their names are not."""
    return f"{type(about).__name__}.{about.name}" if isinstance(about, StrEnum) else str(about)[:20]


def case(*abouts: Any) -> Callable[[Case], Case]:
    def add(one: Case) -> Case:
        for about in abouts:
            assert name_of(about) not in CASES
            CASES[name_of(about)] = (about, one)
        return one

    return add


@pytest.fixture
async def trial(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    yield Trial(world, runner({**settings, **world.storage_config.to_env()}, tmp_path), None)


# Ends that the infrastructure is at fault for: nothing is to be done.


INTERRUPTED = {
    Cause.EVICTED: Evidence(conditions={"DisruptionTarget": "EvictionByEvictionAPI"}),
    Cause.PREEMPTED: Evidence(conditions={"DisruptionTarget": "PreemptionByScheduler"}),
    Cause.NODE_SHUTDOWN: Evidence(seen_as=SeenAs.NODE_SHUTDOWN),
    Cause.NODE_LOST: Evidence(seen_as=SeenAs.NODE_LOST),
    Cause.VANISHED: Evidence(gone=True),
    Cause.SHUT_DOWN: Evidence(seen_as=SeenAs.STOPPED),
}


@case(*INTERRUPTED)
async def interrupted(trial: Trial) -> None:
    job_id = await trial.end(INTERRUPTED[trial.about])
    told = trial.told(job_id)
    assert ADVICE[trial.about].before in told
    assert trial.about in told
    await trial.work()
    job = trial.world.job(job_id)
    assert (job["state"], job["attempts"]) == ("completed", 0)


# Ends that use up an attempt: once the cause is fixed a retry helps, of a job that has failed too.


ATTEMPTS: dict[Cause | Reason, Evidence] = {
    Cause.UNAVAILABLE: Evidence(exit_code=75),
    Cause.OUT_OF_MEMORY: Evidence(seen_as=SeenAs.OOM_KILLED),
    Cause.TIMED_OUT: Evidence(seen_as=SeenAs.DEADLINE_EXCEEDED, container_started=True),
    Cause.DISK_FULL: Evidence(seen_as=SeenAs.EVICTED),
    Cause.CRASHED: Evidence(exit_code=1),
    Cause.LEFT_WITHOUT_COMMIT: Evidence(exit_code=0),
    **{
        reason: Evidence(exit_code=75, message=Outcome(Cause.UNAVAILABLE, reason, "no answer").to_message())
        for reason in (Reason.DATABASE, Reason.STORAGE, Reason.TEMPORARY_IO)
    },
}


def values_named(text: str) -> list[str]:
    """The values of the chart that a text names."""
    found = re.findall(r"\b(?:runner|rbac|limits)(?:\.[A-Za-z-]+)+", text)
    return [one.rstrip(".") for one in found]


@case(*ATTEMPTS)
async def failed_by_its_own_fault(trial: Trial) -> None:
    remedy = ADVICE[trial.about] if isinstance(trial.about, Cause) else REASONS[trial.about]
    job_id = await trial.end(ATTEMPTS[trial.about], NO_RETRIES)
    told = trial.told(job_id)
    assert trial.world.job(job_id)["state"] == "failed"
    assert remedy.text in told
    assert "by itself" not in told
    trial.do(trial.command(told, "jobs retry"))
    await trial.work()
    assert trial.loaded(job_id)


# What keeps a run from starting: it goes on by itself once that is fixed.


@case(Cause.CANNOT_START, Reason.IMAGE, Reason.CONFIG, Reason.QUOTA, Reason.REFUSED, Reason.UNSCHEDULABLE)
async def cannot_start(trial: Trial) -> None:
    reason = trial.about if isinstance(trial.about, Reason) else None
    remedy = ADVICE[Cause.CANNOT_START] if reason is None else REASONS[reason]
    launcher = Moody()
    launcher.launch_error = LaunchRefused("not so", reason or Reason.REFUSED)
    job_id = trial.world.submit(trial.file()).job_id
    async with trial.world.controller(launcher) as reconciler:
        await reconciler.tick()
        if reason is None:
            trial.world.query("update runs set reason = null")
        told = trial.told(job_id)
        assert remedy.text in told
        assert remedy.after in told
        launcher.launch_error = None  # it is fixed
    trial.due()
    await trial.work()
    job = trial.world.job(job_id)
    assert (job["state"], job["attempts"]) == ("completed", 0)


@case(Cause.FORBIDDEN)
async def forbidden(trial: Trial) -> None:
    job_id = trial.world.submit(trial.file()).job_id
    folder = trial.world.folder
    (stored,) = (folder / "storage" / "US").iterdir()
    stored.rename(folder / "aside")
    stored.symlink_to(folder / "aside")  # storage follows no link
    async with trial.world.controller() as reconciler:
        while trial.world.job(job_id)["last_cause"] is None:
            await reconciler.tick()
    assert trial.world.job(job_id)["last_cause"] == "forbidden"
    told = trial.told(job_id)
    assert "Then" in told and "by itself" in told
    stored.unlink()
    (folder / "aside").rename(stored)
    trial.due()
    await trial.work()
    assert trial.loaded(job_id)
    assert trial.world.job(job_id)["attempts"] == 0


# Files that are refused: the commands of the explanation, each as it is printed.


async def refused(trial: Trial, job_id: UUID, reason: Reason | None = None) -> str:
    """The explanation of a job whose file was refused."""
    await trial.work()
    job = trial.world.job(job_id)
    assert (job["state"], job["last_cause"]) == ("failed", "rejected"), job["last_error"]
    told = trial.told(job_id)
    assert f"rejected ({reason or trial.about})" in told
    return told


@case(Reason.INVALID_FORMAT)
async def malformed(trial: Trial) -> None:
    file = trial.file(content="Mary,F,2020\nJohn,X,2\n")
    job_id = trial.submit(file, "--country", "US")
    told = await refused(trial, job_id)
    assert "line 2" in told
    assert "jobs retry" not in told
    trial.file()  # is fixed
    trial.do(trial.command(told, "submit"))
    trial.do(trial.command(told, "datasets delete"))
    await trial.work()
    [dataset] = answer(trial.run("datasets", "list", "--json"))
    assert (dataset["status"], dataset["row_count"]) == ("completed", 2)


@case(WHOLE_FILE)
async def not_whole(trial: Trial) -> None:
    told = await refused(trial, trial.submit(trial.file(content=""), "--country", "US"), Reason.INVALID_FORMAT)
    assert WHOLE_FILE.text.rstrip(":") in told
    assert "us-ssa" in trial.do(trial.command(told, "parsers list"))


@case(Cause.REJECTED, Cause.LOST_LEASE)
async def without_a_reason(trial: Trial) -> None:
    """Only an older version has left such a run."""
    job_id = await trial.end(Evidence(exit_code=65, message=Outcome(Cause.REJECTED, None, "no").to_message()))
    trial.world.query(f"update runs set cause = '{trial.about}'")
    told = trial.told(job_id)
    assert ADVICE[trial.about].text.rstrip(".") in told
    if trial.about is Cause.REJECTED:
        trial.do(trial.command(told, "submit"))
        await trial.work()
        assert trial.world.query("select id from jobs where state = 'completed'")


@case(Reason.INVALID_FILENAME, Action.SUBMIT_WITH_YEAR)
async def without_a_year(trial: Trial) -> None:
    file = trial.file("renamed.txt")
    told = await refused(trial, trial.submit(file, "--country", "US"), Reason.INVALID_FILENAME)
    words = trial.command(told, "submit")
    trial.do([word.replace("YYYY", "2020") for word in words])
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Action.SUBMIT_WITH_SEX)
async def without_a_sex(trial: Trial) -> None:
    file = trial.file("2019.csv", "Given Name,Amount,Position\nTESTINA,9,1\nPROBERTA,7,2\n")
    told = await refused(trial, trial.submit(file, "--country", "AU"), Reason.INVALID_FILENAME)
    trial.do([word.replace("F|M", "F") for word in trial.command(told, "submit")])
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Reason.CONTRADICTORY)
async def contradictory(trial: Trial) -> None:
    told = await refused(trial, trial.submit(trial.file(), "--country", "US", "--year", "2021"))
    trial.do(trial.command(told, "submit"))
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Reason.UNDECIDED, Action.SUBMIT_AS_FORMAT)
async def undecided(trial: Trial) -> None:
    file = trial.file("list.csv", "Rank,Name,Number,Gender,Year\n1,Testina,9,Female,2020\n")
    told = await refused(trial, trial.submit(file, "--country", "AU"), Reason.UNDECIDED)
    for words in trial.commands(told):
        if words[0] == "submit":
            trial.do(words)
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'"), told


@case(HINTED[Action.SUBMIT_AS_FORMAT])
async def of_another_country(trial: Trial) -> None:
    file = trial.file("any.csv", "sexe;preusuel;annais;nombre\n1;TESTIN;2020;9\n")
    told = await refused(trial, trial.submit(file, "--country", "IE"), Reason.INVALID_FORMAT)
    assert trial.command(told, "submit")[-2:] == ["--country", "FR"]
    trial.do(trial.command(told, "submit"))
    trial.do(trial.command(told, "datasets delete"))
    await trial.work()
    [dataset] = answer(trial.run("datasets", "list", "--json"))
    assert (dataset["country"], dataset["status"]) == ("FR", "completed")


@case(Reason.SEVERAL_REGIONS, Action.SUBMIT_SPLIT)
async def several_regions(trial: Trial) -> None:
    file = trial.world.folder / "namesbystate.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for state in ("AK", "AL"):
            archive.writestr(f"{state}.TXT", f"{state},F,2020,Mary,7\n")
    told = await refused(trial, trial.submit(file, "--country", "US"), Reason.SEVERAL_REGIONS)
    trial.do(trial.command(told, "submit"))
    await trial.work()
    assert len(answer(trial.run("datasets", "list", "--status", "completed", "--json"))) == 2


@case(Reason.OVERLAPPING, Action.SUBMIT_AS_REPLACEMENT)
async def overlapping(trial: Trial) -> None:
    trial.run("load", trial.file("yob2020.txt"), "--country", "US")
    newer = trial.submit(trial.file("yob2020-2.txt", GOOD.replace("2020\n", "2021\n")), "--country", "US")
    told = await refused(trial, newer, Reason.OVERLAPPING)
    if trial.about is Action.SUBMIT_AS_REPLACEMENT:
        trial.do(trial.command(told, "submit"))
        await trial.work()
        assert trial.world.query("select year from coverage where superseded_by is not null")
    else:
        trial.do(trial.command(told, "datasets delete"))
        [dataset] = answer(trial.run("datasets", "list", "--json"))
        assert (dataset["file"] if "file" in dataset else dataset["filename"]) == "yob2020.txt"


LIST = "Name;Sex;Year;Total\n" + "".join(f"Anna{n};{'FM'[n % 2]};2020;{9 + n}\n" for n in range(9))


@case(Reason.NO_PARSER, Action.SUGGEST_COLUMNS)
async def of_no_country_with_parsers(trial: Trial) -> None:
    told = await refused(trial, trial.submit(trial.file("list.csv", LIST), "--country", "JP"), Reason.NO_PARSER)
    proposed = trial.do(trial.command(told, "parse"))
    trial.file("list.toml", proposed)
    trial.run("submit", "list.csv", "--country", "JP", "--description", "list.toml", "--measure", "births")
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Action.SHOW_DESCRIPTION, Action.SUBMIT_WITH_DESCRIPTION)
async def described(trial: Trial) -> None:
    """A file that is fixed is still one that no parser knows without its description."""
    trial.run("submit", trial.file("list.csv", LIST.replace("2020;9", "2020;many")), "--country", "CH", "--columns",
              "name=Name sex=Sex year=Year count=Total", "--measure", "births")  # fmt: skip
    job_id = trial.world.one("select id from jobs")["id"]
    told = await refused(trial, job_id, Reason.INVALID_FORMAT)
    *show, _, file = trial.command(told, "datasets show")
    trial.file(file, trial.run(*show).stdout)
    trial.file("list.csv", LIST)
    trial.do(trial.command(told, "submit"))
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Reason.DATASET_NOT_FOUND)
async def dataset_not_found(trial: Trial) -> None:
    """Only an older version has left such a run."""
    said = Outcome(Cause.REJECTED, Reason.DATASET_NOT_FOUND, "there is no such dataset")
    told = trial.told(await trial.end(Evidence(exit_code=65, message=said.to_message())))
    trial.do(trial.command(told, "submit"))
    await trial.work()
    assert trial.world.query("select id from jobs where state = 'completed'")


@case(Reason.FILE_NOT_FOUND, Reason.FILE_CHANGED, Action.SUBMIT)
async def stored_file_lost(trial: Trial) -> None:
    """Of a dataset that is loaded, and of one that is not."""
    lost = trial.about is not Reason.FILE_CHANGED
    reason = Reason.FILE_NOT_FOUND if lost else Reason.FILE_CHANGED

    def lose() -> None:
        for stored in (trial.world.folder / "storage" / "US").iterdir():
            stored.unlink() if lost else stored.write_text("other bytes")
        trial.file("kept.txt")

    first = trial.submit(trial.file(), "--country", "US")
    lose()
    told = await refused(trial, first, reason)
    trial.do(trial.command(told, "submit"))
    await trial.work()
    [dataset] = answer(trial.run("datasets", "list", "--status", "completed", "--json"))
    lose()
    trial.run("reprocess", dataset["id"])
    again = trial.world.one("select id from jobs where type = 'reprocess_dataset'")["id"]
    told = await refused(trial, again, reason)
    assert "datasets delete" not in told
    for words in trial.commands(told):
        trial.do(words)
    await trial.work()
    assert trial.loaded(again)


@case(Reason.TOO_LARGE)
async def too_large(trial: Trial) -> None:
    job_id = trial.submit(trial.file(content=GOOD), "--country", "US")
    trial.run("run", "--until-idle", code=1, LIMIT_ROWS="1")
    told = trial.told(job_id)
    assert "rejected (too_large)" in told
    assert "LIMIT_ROWS" in told
    trial.do(trial.command(told, "jobs retry"))
    await trial.work()
    assert trial.loaded(job_id)


@case(Cause.COMPLETED, Action.REPROCESS_DATASET)
async def completed(trial: Trial) -> None:
    trial.run("load", trial.file(), "--country", "US")
    [job] = answer(trial.run("jobs", "list", "--json"))
    if trial.about is Cause.COMPLETED:
        document = answer(trial.run("jobs", "explain", job["id"], "--json"))
        said = document["runs"][0]["advice"]
    else:
        said = trial.run("jobs", "retry", job["id"], code=65).stderr
    trial.do(trial.command(said, "reprocess"))
    await trial.work()
    assert len(answer(trial.run("jobs", "list", "--state", "completed", "--json"))) == 2


# States of a job.


@case(Cause.CANCELLED, JobState.CANCELLED, Action.RETRY_JOB)
async def cancelled(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    trial.run("jobs", "cancel", str(job_id))
    trial.do(trial.command(trial.told(job_id), "jobs retry"))
    await trial.work()
    assert trial.loaded(job_id)


@case(JobState.QUEUED, Action.CANCEL_JOB, Action.SHOW_STATUS)
async def queued(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    told = trial.told(job_id)
    assert "no controller is running" in trial.do(trial.command(told, "status"))
    trial.do(trial.command(told, "jobs cancel"))
    assert trial.world.job(job_id)["state"] == "cancelled"


@case(JobState.SCHEDULED, Action.RUN_JOB_NOW)
async def scheduled(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US", "--run-at", "30h")
    trial.do(trial.command(trial.told(job_id), "jobs set"))
    await trial.work()
    assert trial.loaded(job_id)


@case(JobState.RUNNING)
async def running(trial: Trial) -> None:
    job_id = trial.world.submit(trial.file()).job_id
    launcher = FakeLauncher()
    async with trial.world.controller(launcher, retry=AT_ONCE) as reconciler:
        await reconciler.tick()
        launcher.end(key_of(trial.world.job(job_id)), Evidence(exit_code=1))
        await reconciler.tick()
        await reconciler.tick()
        assert trial.world.job(job_id)["state"] == "running"
        told = trial.told(job_id)
        assert "report a bug" not in told, "that was the run before"
        listed = answer(trial.run("jobs", "list", "--json"))
        assert listed[0]["state"] == "running"
        assert "exit code 1" not in trial.run("jobs", "list").stdout
        trial.do(trial.command(told, "jobs cancel"))
        assert "Nothing is to be done" in trial.told(job_id)
        await reconciler.tick()
        await reconciler.tick()
    assert trial.world.job(job_id)["state"] == "cancelled"


@case(JobState.FAILED, Action.DELETE_DATASET)
async def failed(trial: Trial) -> None:
    job_id = await trial.end(Evidence(exit_code=1), NO_RETRIES)
    told = trial.told(job_id)
    trial.do(trial.command(told, "datasets delete"))
    assert answer(trial.run("datasets", "list", "--json")) == []


@case(JobState.COMPLETED)
async def done(trial: Trial) -> None:
    trial.run("load", trial.file(), "--country", "US")
    [job] = answer(trial.run("jobs", "list", "--json"))
    assert "nothing is to be done" in trial.told(job["id"])


# Actions that errors name.


@case(Action.EXPLAIN_JOB)
async def explained(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    refusal = trial.run("reprocess", str(trial.world.job(job_id)["dataset_id"]), code=65).stderr
    assert "it has not run yet" in trial.do(trial.command(refusal, "jobs explain"))


@case(Action.SHOW_DATASET)
async def dataset_in_place_of_a_job(trial: Trial) -> None:
    dataset_id = str(trial.world.job(trial.submit(trial.file(), "--country", "US"))["dataset_id"])
    refusal = trial.run("jobs", "show", dataset_id, code=65).stderr
    assert dataset_id in trial.do(trial.command(refusal, "datasets show"))


@case(Action.LIST_FORMATS)
async def formats(trial: Trial) -> None:
    content = "Rank,Name,Gender,Suburb,Year\n1,Testina,Female,x,2020\n"
    told = await refused(trial, trial.submit(trial.file("a.csv", content), "--country", "AU"), Reason.INVALID_FORMAT)
    assert "au-nsw" in trial.do(trial.command(told, "parsers list"))


@case(Action.LIST_SCHEDULES, Action.REMOVE_SCHEDULE)
async def schedules(trial: Trial) -> None:
    (trial.world.folder / "storage" / "in").mkdir()
    add = ("schedules", "add", "us", "--cron", "0 3 * * 1", "--location", "in", "--country", "US")
    trial.run(*add)
    if trial.about is Action.LIST_SCHEDULES:
        refusal = trial.run("schedules", "run", "fr", code=65).stderr
        assert "us" in trial.do(trial.command(refusal, "schedules list"))
    else:
        trial.do(trial.command(trial.run(*add, code=65).stderr, "schedules remove"))
        trial.run(*add)


@case(Action.RUN_CONTROLLER)
async def unknown_pool(trial: Trial) -> None:
    file = trial.file()
    refusal = trial.run("submit", file, "--country", "US", code=65, POOL="own").stderr
    assert "POOL=own affirm-worker run" in bare(refusal)
    trial.do(trial.command(refusal, "run"), POOL="own")
    trial.run("submit", file, "--country", "US", POOL="own")


@case(Action.MIGRATE)
async def migrate(trial: Trial) -> None:
    trial.world.query("drop schema affirm cascade")
    refusal = trial.run("jobs", "list", code=78).stderr
    trial.do(trial.command(refusal, "migrate"))
    trial.run("jobs", "list")


# What keeps jobs from running.


@case(Kind.NO_CONTROLLER)
async def no_controller(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    trial.do(trial.command(trial.told(job_id), "run"))
    assert trial.loaded(job_id)


@case(Kind.RUN_IS_SILENT)
async def silent(trial: Trial) -> None:
    """Its controller was killed: the explanation says since when it is silent, and until when it is waited for."""
    job_id = trial.world.submit(trial.file()).job_id
    async with trial.world.controller(FakeLauncher("process"), owner="killed") as reconciler:
        await reconciler.tick()
    trial.world.query(
        "update runs set started_at = now(), runner_uid = 'pod-1', lease_until = now() + interval '20 seconds'"
    )
    told = trial.told(job_id)
    assert re.search(r"run 1: at work, last heard of 4\d s ago", told), told
    assert re.search(r"unless it is heard of before, it is ended in (19|20) s, and the job is queued again", told), told
    assert "(its controller killed is gone)" in told
    trial.world.query("update runs set lease_until = now()")
    trial.do(trial.command(told, "run"))
    assert trial.loaded(job_id)


@case(Action.LIST_FAILED_JOBS)
async def failed_jobs(trial: Trial) -> None:
    job_id = await trial.end(Evidence(exit_code=1), NO_RETRIES)
    assert str(job_id) in trial.do(trial.command(trial.run("status").stdout, "jobs list"))


@case(Action.LIST_POOLS)
async def no_such_pool(trial: Trial) -> None:
    assert "default" in trial.do(trial.command(trial.run("pools", "show", "nothing-like-it", code=65).stderr, "pools"))


@case(Action.PAUSE_POOL, Action.PROBE_POOL)
async def pool_cannot_start_runs(trial: Trial) -> None:
    trial.submit(trial.file(), "--country", "US")
    trial.world.query(
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_error = 'no', probe_at = now()"
    )
    if trial.about is Action.PROBE_POOL:
        trial.world.query("update pools set probe_at = now() + interval '1 hour'")
        trial.do(trial.command(trial.run("status").stdout, "pools probe"))
        assert trial.world.one("select probe_at <= now() as due from pools")["due"]
        return
    trial.do(trial.command(trial.run("status").stdout, "pools pause"))
    assert trial.world.one("select paused from pools")["paused"]


@case(Action.RESUME_POOL, Action.SET_POOL_MAXIMUM)
async def pool_is_shut(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    paused = trial.about is Action.RESUME_POOL
    trial.run("pools", *(["pause", "default"] if paused else ["set", "default", "--max", "0"]))
    words = trial.command(trial.told(job_id), "pools")
    trial.do(["4" if word == "N" else word for word in words])
    await trial.work()
    assert trial.loaded(job_id)


@case(Kind.POOL_PAUSED, Kind.POOL_CLOSED, Kind.POOL_FULL, Kind.POOL_UNSERVED)
async def pool_in_the_way(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    launcher = FakeLauncher()
    async with trial.world.controller(launcher, owner="c/1") as reconciler:
        trial.world.query("update pools set paused = true")
        await reconciler.tick()
        trial.world.query("update pools set paused = false")
        trial.world.query(
            "insert into controllers (owner, launcher, pools, seen_at) values ('c/1', 'process', '{default}', now())"
            " on conflict (owner) do update set seen_at = now(), pools = excluded.pools"
        )
        changes, words, undo = {
            Kind.POOL_PAUSED: ("paused = true", "is paused", "paused = false"),
            Kind.POOL_CLOSED: ("max_running = 0", "has a maximum of 0 runs", "max_running = 4"),
            Kind.POOL_FULL: ("max_running = 0", "has", "max_running = 4"),
            Kind.POOL_UNSERVED: ("paused = paused", "", "paused = paused"),
        }[trial.about]
        trial.world.query(f"update pools set {changes}")
        if trial.about is Kind.POOL_UNSERVED:
            trial.world.query("update controllers set pools = '{other}'")
            assert "no controller that is running claims from pool default" in trial.run("status").stdout
        else:
            assert words in trial.told(job_id)
        trial.world.query(f"update pools set {undo}")
    await trial.work()
    assert trial.loaded(job_id)


@case(Kind.POOL_REFUSED)
async def pool_is_refused(trial: Trial) -> None:
    """The reason names the field; when that is put right, the controller forgets the refusal and the job runs."""
    job_id = trial.submit(trial.file(), "--country", "US")
    trial.world.query("update pools set refusal = 'spec.podTemplate.spec.hostPID: no'")
    trial.world.query(
        "insert into controllers (owner, launcher, pools, seen_at) values ('c/1', 'kubernetes', '{other}', now())"
    )
    for told in (trial.told(job_id), trial.run("status").stdout):
        assert "the ParserPool of pool default is refused: spec.podTemplate.spec.hostPID: no" in told
    trial.world.query("update pools set refusal = null")
    trial.world.query("delete from controllers")
    await trial.work()
    assert trial.loaded(job_id)


@case(Kind.CONTROLLER_IN_TROUBLE)
async def controller_in_trouble(trial: Trial) -> None:
    """It says whether the trouble passes by itself; when it has passed, the controller works."""
    job_id = trial.submit(trial.file(), "--country", "US")
    launcher = Moody()
    launcher.seen_error = Unavailable("Kubernetes API: 500")
    async with trial.world.controller(launcher, owner="c/1") as reconciler:
        assert not await reconciler.tick_safely()
        present = asyncio.create_task(keep_present(reconciler.context, lambda: reconciler.health.trouble))
        await trial.world.until("select owner from controllers where trouble is not null")
        for told in (trial.told(job_id), trial.run("status").stdout):
            assert "controller c/1" in told
            assert "it is tried again until it passes): Kubernetes API: 500" in told
        launcher.seen_error = None
        assert await reconciler.tick_safely()
        present.cancel()
        await asyncio.wait([present])
        assert launcher.launches


@case(Kind.CONTROLLER_WARNS)
async def controller_warns(trial: Trial) -> None:
    """`status` says it until the controller has nothing to warn of any more."""
    async with trial.world.store() as store:
        await store.controller_seen("c/1", "kubernetes", ["default"], None, 0.0, ["ParserPool x is nobody's"])
        assert "controller c/1 warns: ParserPool x is nobody's" in trial.run("status").stdout
        assert "ParserPool x is nobody's" in trial.run("doctor", "controllers", code=None).stdout
        await store.controller_seen("c/1", "kubernetes", ["default"], None, 0.0)
    assert "warns" not in trial.run("status").stdout


@case(Kind.POOL_BLOCKED, Kind.JOBS_BLOCKED)
async def blocked(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    launcher = Moody()
    launcher.launch_error = LaunchRefused("exceeded quota: pods", Reason.QUOTA)
    async with trial.world.controller(launcher) as reconciler:
        await reconciler.tick()
    told = trial.run("status").stdout
    assert "it goes on by itself when one starts" in told
    assert "exceeded quota: pods" in trial.do(trial.command(told, "jobs explain"))
    trial.due()
    await trial.work()
    assert trial.loaded(job_id)
    assert "nothing is blocked" in trial.run("status").stdout


@case(Kind.LAUNCHES_UNANSWERED, Kind.PODS_WAIT_FOR_ROOM)
async def launches_unanswered(trial: Trial) -> None:
    job_id = trial.submit(trial.file(), "--country", "US")
    launcher = Moody()
    launcher.launch_error = Unavailable("Kubernetes API: 500")
    async with trial.world.controller(launcher) as reconciler:
        await reconciler.tick()
        told = trial.told(job_id)
        assert "The run is launched as soon as there is one" in told
        assert "the same is asked again until there is one" in trial.run("status").stdout
        launcher.launch_error = None
        trial.world.query("update runs set claimed_at = claimed_at - interval '1 minute'")
        await reconciler.tick()
        assert launcher.launches


@case(Kind.SCHEDULE_FAILS)
async def schedule_fails(trial: Trial) -> None:
    trial.run("schedules", "add", "us", "--cron", "* * * * *", "--location", "in", "--country", "US", "--no-check")
    trial.world.query("update schedules set next_at = now()")
    async with trial.world.controller() as reconciler:
        while not trial.world.query("select name from schedules where failures > 0"):
            await reconciler.tick()
        assert "schedule us fails, once by now: storage: there is no folder" in trial.run("status").stdout
        (trial.world.folder / "storage" / "in").mkdir()
        while trial.world.query("select name from schedules where failures > 0"):
            trial.world.query("update schedules set not_before = now(), next_at = now() where holder is null")
            await reconciler.tick()
    assert "schedule us fails" not in trial.run("status").stdout


ELSEWHERE = {
    Action.SET_JOB: "tests/integration/test_offered_actions.py",
    Action.RETRY_FAILED: "tests/integration/test_failures.py",
    Action.PATCH_PARSER_POOL: "tests/e2e/test_parserpool_schema.py",
    Action.CHOOSE_PORT: "tests/integration/test_kept_postgres.py",
}
"""The tests that follow this advice, where a cluster or an embedded Postgres is needed."""
EVERY: list[type[StrEnum]] = [Cause, Reason, Action, JobState, Kind]


def test_every_piece_of_advice_is_tried() -> None:
    of_enums = [one for kind in EVERY for one in kind if one not in ELSEWHERE]
    assert CASES.keys() == {*map(name_of, of_enums), name_of(WHOLE_FILE), name_of(HINTED[Action.SUBMIT_AS_FORMAT])}


@pytest.mark.parametrize("name", CASES)
async def test_advice_helps_those_who_follow_it(trial: Trial, name: str) -> None:
    trial.about, one = CASES[name]
    await one(trial)


def test_advice_names_values_that_the_chart_has() -> None:
    values = yaml.safe_load((ROOT / "charts" / "affirm-worker" / "values.yaml").read_text())
    texts = [remedy.text for remedy in (*ADVICE.values(), *REASONS.values())]
    named = sorted({one for text in texts for one in values_named(text)})
    assert len(named) > 5
    for path in named:
        found = values
        for word in path.split("."):
            assert word in found or found == {}, path
            found = found.get(word) or {}
