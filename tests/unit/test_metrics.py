"""The exposed metrics, and that they can never be many."""

import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from api.metrics import ApiMetrics
from controller.launchers.interface import ClusterRefused, ClusterSilent
from controller.loop_health import LoopHealth
from controller.metrics import MOST_POOLS, OTHER, HeldUpBy, Metrics
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured, OtherSchema, OutOfMemory, RunError, Unavailable
from dataset_jobs.model.pools import PoolQueue
from dataset_jobs.model.settlement import Diagnosis, Settlement
from dataset_jobs.model.states import JobState
from docs.generate.metrics import PAGE, rendered

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
LABELS = {"pool", "state", "cause", "reason", "result", "by", "what", "le"}


def families(metrics: Metrics) -> list[Metric]:
    text, content_type = metrics.exposition(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    return [*text_string_to_metric_families(text.decode())]  # type: ignore[no-untyped-call]


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found = [
        one.value
        for family in families(metrics)
        for one in family.samples
        if one.name == f"affirm_worker_{name}" and one.labels == labels
    ]
    return found[0] if found else None


def queue(name: str) -> PoolQueue:
    return PoolQueue(
        name,
        queued=3,
        due=2,
        scheduled=1,
        pending=0,
        running=4,
        ending=0,
        desired=5,
        maximum=9,
        paused=False,
        blocked=True,
        oldest_wait_seconds=7.5,
        blocked_cause="cannot_start",
        blocked_reason="image",
    )


def everything(metrics: Metrics, pool: str) -> None:
    """Each thing that can be counted, once, and each outcome."""
    metrics.claimed(pool, 0.1, [1.0])
    metrics.launched(pool, 0.1)
    for answered in (False, True):
        metrics.not_launched(pool, answered)
    metrics.settled_after(pool, 0.1)
    metrics.loaded(pool, 1, 1)
    for cause in Cause:
        for state in (None, JobState.SCHEDULED, JobState.QUEUED, JobState.FAILED, JobState.CANCELLED):
            for attempts, give_backs in ((0, 0), (1, 0), (0, 1)):
                settlement = Settlement(Diagnosis(cause), state, attempts=attempts, give_backs=give_backs)
                metrics.settled(pool, settlement, 2.0, 1.0)


def test_the_page_has_every_metric() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `make docs`"


def test_what_the_page_asks_for_is_there() -> None:
    names = {one.name for metrics in (Metrics(), ApiMetrics()) for one in metrics.described}
    asked = set(re.findall(r"affirm_worker_\w+", PAGE.read_text(encoding="utf-8")))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} == names


def test_every_metric_is_exposed_with_its_help_and_only_our_labels() -> None:
    metrics = Metrics()
    metrics.read([queue("default")])
    everything(metrics, "default")
    found = {family.name: family for family in families(metrics) if family.name.startswith("affirm_worker_")}
    assert {*found} == {one.name.removesuffix("_total") for one in metrics.described}
    for one in metrics.described:
        family = found[one.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (one.kind, one.meaning)
        used = {label for sample in family.samples for label in sample.labels}
        assert used - {"le"} == {*one.labels}
        assert used <= LABELS


def test_the_series_do_not_grow_with_the_names_of_pools() -> None:
    metrics = Metrics()
    sizes = []
    for begin in (0, MOST_POOLS, 2 * MOST_POOLS):
        names = [f"pool-{number}" for number in range(begin, begin + MOST_POOLS + 1)]
        for name in names:
            metrics.claimed(name, 0.1, [])
        metrics.read([queue(name) for name in names])
        sizes.append(len(metrics.exposition("")[0].splitlines()))
    pools = {one.labels["pool"] for family in families(metrics) for one in family.samples if "pool" in one.labels}
    assert len(pools) == MOST_POOLS + 1
    assert OTHER in pools
    assert max(sizes) == sizes[0]


def test_the_causes_and_results_of_runs_are_words_of_ours() -> None:
    metrics = Metrics()
    everything(metrics, "default")
    [settled] = [one for one in families(metrics) if one.name == "affirm_worker_runs_settled"]
    counted = [one for one in settled.samples if one.name.endswith("_total")]
    assert {one.labels["cause"] for one in counted} == {str(cause) for cause in Cause}
    results = {one.labels["result"] for one in counted}
    assert results == {"completed", "retried", "requeued", "given_back", "failed", "cancelled", "superseded"}
    assert all(result in settled.documentation for result in results)


@pytest.mark.parametrize(
    ("settlement", "result"),
    [
        (Settlement(Diagnosis(Cause.COMPLETED)), "completed"),
        (Settlement(Diagnosis(Cause.CRASHED), JobState.SCHEDULED, attempts=1), "retried"),
        (Settlement(Diagnosis(Cause.EVICTED), JobState.QUEUED, interruptions=1), "requeued"),
        (Settlement(Diagnosis(Cause.CANNOT_START), JobState.SCHEDULED, give_backs=1), "given_back"),
        (Settlement(Diagnosis(Cause.REJECTED), JobState.FAILED, attempts=1), "failed"),
        (Settlement(Diagnosis(Cause.CANCELLED), JobState.CANCELLED), "cancelled"),
        (Settlement(Diagnosis(Cause.LOST_LEASE)), "superseded"),
    ],
)
def test_what_became_of_the_job_is_the_result(settlement: Settlement, result: str) -> None:
    metrics = Metrics()
    metrics.settled("default", settlement, 2.0, 1.0)
    cause = str(settlement.diagnosis.cause)
    assert value(metrics, "runs_settled_total", pool="default", cause=cause, result=result) == 1
    assert value(metrics, "slot_held_seconds_total", pool="default") == 2
    assert value(metrics, "runner_busy_seconds_total", pool="default") == 1


def test_lag_and_age_grow_until_a_tick_goes_through_and_figures_are_read() -> None:
    now = 100.0
    metrics = Metrics(lambda: now)
    now = 130.0
    metrics.tick(0.5, went_through=False)
    assert (value(metrics, "tick_lag_seconds"), value(metrics, "queue_figures_age_seconds")) == (30, 30)
    assert value(metrics, "ticks_broken_off_total") == 1
    metrics.tick(0.5, went_through=True)
    assert (value(metrics, "tick_lag_seconds"), value(metrics, "queue_figures_age_seconds")) == (0, 30)
    metrics.read([])
    assert value(metrics, "queue_figures_age_seconds") == 0
    assert value(metrics, "tick_duration_seconds_count") == 2


def test_controllers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.watch_restarted()
    assert (value(one, "watch_restarts_total"), value(other, "watch_restarts_total")) == (1, 0)


def test_counters_of_a_known_pool_begin_at_zero() -> None:
    """Prometheus sees no increase of a counter that begins at 1."""
    metrics = Metrics()
    metrics.read([queue("default")])
    for cause, result in (("completed", "completed"), ("rejected", "failed"), ("node_lost", "requeued")):
        assert value(metrics, "runs_settled_total", pool="default", cause=cause, result=result) == 0
    assert value(metrics, "runs_cut_off_total", pool="default", what="storage") == 0
    assert value(metrics, "queue_wait_seconds_count", pool="default") == 0
    metrics.settled("default", Settlement(Diagnosis(Cause.REJECTED), JobState.FAILED, attempts=1), 2.0, 1.0)
    metrics.read([queue("default")])
    assert value(metrics, "runs_settled_total", pool="default", cause="rejected", result="failed") == 1


@pytest.mark.parametrize("reason", [*Reason, None])
def test_runs_that_reach_no_database_or_storage_are_counted(reason: Reason | None) -> None:
    metrics = Metrics()
    metrics.settled("default", Settlement(Diagnosis(Cause.UNAVAILABLE, reason), JobState.SCHEDULED, attempts=1), 2, 1)
    counted = next(one for one in families(metrics) if one.name == "affirm_worker_runs_cut_off").samples
    found = {one.labels["what"]: one.value for one in counted if one.name.endswith("_total")}
    assert found == ({str(reason): 1} if reason in (Reason.DATABASE, Reason.STORAGE) else {})


def test_a_blocked_pool_says_by_what() -> None:
    metrics = Metrics()
    metrics.read([queue("default")])
    assert value(metrics, "pool_blocked_by", pool="default", cause="cannot_start", reason="image") == 1
    metrics.read([])
    assert value(metrics, "pool_blocked_by", pool="default", cause="cannot_start", reason="image") is None


@pytest.mark.parametrize(
    ("error", "by"),
    [
        (Unavailable("no answer", Reason.DATABASE), HeldUpBy.DATABASE),
        (Forbidden("no right", Reason.DATABASE), HeldUpBy.DATABASE),
        (ClusterSilent("no answer"), HeldUpBy.CLUSTER),
        (ClusterRefused("no right"), HeldUpBy.CLUSTER),
        (Misconfigured("a setting is wrong"), HeldUpBy.SETUP),
        (OtherSchema("the schema is older", Reason.DATABASE), HeldUpBy.SETUP),
        (Unavailable("no room", Reason.TEMPORARY_IO), HeldUpBy.MACHINE),
        (OutOfMemory("no memory"), HeldUpBy.MACHINE),
    ],
)
def test_what_holds_a_controller_up_is_one_word(error: RunError, by: HeldUpBy) -> None:
    health, metrics = LoopHealth(), Metrics()
    metrics.follow(lambda: health.held_up_by)

    def now() -> dict[HeldUpBy, float | None]:
        return {what: value(metrics, "held_up", by=what) for what in HeldUpBy}

    assert now() == dict.fromkeys(HeldUpBy, 0)
    health.went_round(error)
    assert now() == {what: float(what is by) for what in HeldUpBy}
    health.went_round(None)
    health.launches.failed(error, 0.0)
    assert now() == {what: float(what is by) for what in HeldUpBy}
    health.launches.passed()
    assert now() == dict.fromkeys(HeldUpBy, 0)
