"""The failed jobs by cause and reason: how many, since when, what to do, and whether a retry is worth it."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_jobs.model.advice import remedy_of
from dataset_jobs.model.causes import cause_in_words, cause_of, reason_of
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.sentences import Sentence, counted, sentence
from dataset_jobs.store.client_connection import ClientDatabase, When, time_parameters
from dataset_jobs.store.views import FailedJobs
from services.dataset_maker import find_country
from services.listing import COUNTED


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Jobs that failed alike.

    Args:
        jobs: how many, with when, where, and one of them.
        text: the same in a sentence.
        retryable: once the advice is followed, a retry of all of them is worth it; else each file needs something else.
        advice: what to do.
    """

    jobs: FailedJobs
    text: Sentence
    retryable: bool
    advice: Advice


@dataclass(frozen=True, slots=True)
class Failures:
    """The groups, the largest first; `exact` is false if more than the newest 10,000 failed, and only those are in."""

    groups: Sequence[FailureGroup]
    exact: bool


def read_failures(
    database: ClientDatabase, *, pool: str | None = None, country: str | None = None, since: When = None
) -> Failures:
    """Groups the failed jobs that can be retried: those that are the latest of their dataset.

    Args:
        pool: only those of it.
        country: only those of it; its code or name.
        since: only those that failed since then, or within so long.

    Raises:
        InvalidRequest: there is no such country.
    """
    code = None if country is None else find_country(database, country)[1]
    found = [
        FailedJobs(**row)
        for row in database.all("failures.groups", pool=pool, country=code, most=COUNTED + 1, **time_parameters(since))
    ]
    return Failures([failure_group(one) for one in found], sum(one.jobs for one in found) <= COUNTED)


def failure_group(jobs: FailedJobs) -> FailureGroup:
    """A group with its words."""
    cause, reason = cause_of(jobs.cause), reason_of(jobs.reason)
    if cause is None:
        advice = Advice(f"Use the version that wrote it: no other knows the cause {jobs.cause}.")
        return FailureGroup(jobs, _in_words(jobs), False, advice)
    remedy = remedy_of(cause, reason)
    hints = (Hint(Action.RETRY_FAILED, name=jobs.cause),) if remedy.retry else ()
    text = " ".join(filter(None, [remedy.text, "Then retry them." if hints else ""]))
    return FailureGroup(jobs, _in_words(jobs), remedy.retry, Advice(text, hints))


def _in_words(jobs: FailedJobs) -> Sentence:
    why = cause_in_words(jobs.cause, jobs.reason)
    if jobs.jobs == 1:
        return sentence("1 job failed at {}: {}: {}", jobs.last_at, why, jobs.sample_error)
    return sentence(
        "{} failed: {}; the first at {}, the last at {}: {}",
        counted(jobs.jobs, "job"), why, jobs.first_at, jobs.last_at, jobs.sample_error,
    )  # fmt: skip
