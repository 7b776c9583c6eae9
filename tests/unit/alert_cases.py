"""When each alert fires, clears and stays quiet: series for `promtool test rules`, a sample a minute.

Values are in promtool's notation: `0x9` is ten samples of 0, `0+60x5` grows by 60, `_x4` is four without a sample.
"""

from dataclasses import dataclass, field

OF_POOL = {"pool": "default"}


@dataclass(frozen=True, slots=True)
class Case:
    """One course of some series, and what an alert does in it.

    Args:
        alert: its name.
        series: values by the metric without `affirm_worker_`, with its own labels.
        fires: minutes at which it fires.
        quiet: minutes at which it does not.
        labels: of the alert, beside those of the installation and the severity.
    """

    alert: str
    series: dict[str, str]
    fires: tuple[int, ...] = ()
    quiet: tuple[int, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


WELL = {"held_up{by='database'}": "0x120", "held_up{by='cluster'}": "0x120", "held_up{by='setup'}": "0x120"}


def _queue(jobs: str = "3x120", **others: str) -> dict[str, str]:
    """A pool whose jobs wait while nothing else happens."""
    quiet = {
        "jobs{pool='default',state='queued'}": jobs,
        "jobs{pool='default',state='due'}": "0x120",
        "jobs{pool='default',state='scheduled'}": "9x120",
        "runs{pool='default',state='pending'}": "0x120",
        "runs{pool='default',state='running'}": "0x120",
        "queue_wait_seconds_count{pool='default'}": "7x120",
        "pool_paused{pool='default'}": "0x120",
        "pool_blocked{pool='default'}": "0x120",
        "pool_maximum_runs{pool='default'}": "10x120",
        "runs_settled_total{pool='default',cause='completed',result='completed'}": "7x120",
        **WELL,
    }
    return quiet | {name.replace("___", "{pool='default',state='") + "'}": value for name, value in others.items()}


def _settled(**courses: str) -> dict[str, str]:
    """Counters of settled runs: `cause__result`."""
    return {
        "runs_settled_total{{pool='default',cause='{}',result='{}'}}".format(*name.split("__")): values
        for name, values in courses.items()
    }


def _pool(metric: str, values: str) -> dict[str, str]:
    return {f"{metric}{{pool='default'}}": values}


CASES = [
    Case("AffirmWorkerNoController", {"tick_lag_seconds{}": "_x8 1x30"}, (5, 7), (4, 8, 20)),
    Case("AffirmWorkerNoController", {"tick_lag_seconds{}": "1x9 stale _x2 1x30"}, quiet=(9, 10, 12, 13, 20)),
    Case("AffirmWorkerStandsStill", {"tick_lag_seconds{}": "0+60x10 0x30", **WELL}, (5, 10), (2, 4, 11)),
    Case(
        "AffirmWorkerStandsStill",
        {"tick_lag_seconds{instance='a'}": "0+60x30", "tick_lag_seconds{instance='b'}": "1x30", **WELL},
        quiet=(10, 20),
    ),
    Case(
        "AffirmWorkerStandsStill",
        {"tick_lag_seconds{}": "0+60x30", "held_up{by='database'}": "0x2 1x30"},
        quiet=(10, 20),
    ),
    Case(
        "AffirmWorkerDatabaseAway",
        {"held_up{by='database',instance='a'}": "0x4 1x9 0x20", "held_up{by='database',instance='b'}": "0x40"},
        (7, 14),
        (4, 6, 15, 20),
    ),
    Case(
        "AffirmWorkerDatabaseAway", {"held_up{by='cluster'}": "1x20", "held_up{by='database'}": "0 1 0x20"}, (), (3, 9)
    ),
    Case("AffirmWorkerClusterAway", {"held_up{by='cluster'}": "0x4 1x9 0x20"}, (10, 14), (9, 15)),
    Case("AffirmWorkerClusterAway", {"held_up{by='database'}": "1x20", "held_up{by='cluster'}": "0x20"}, (), (9, 15)),
    Case("AffirmWorkerHeldUp", {"held_up{by='setup'}": "0x4 1x9 0x20"}, (10, 14), (9, 15), {"by": "setup"}),
    Case("AffirmWorkerHeldUp", {"held_up{by='machine'}": "0x4 1x9 0x20"}, (10, 14), (9, 15), {"by": "machine"}),
    Case("AffirmWorkerHeldUp", {"held_up{by='database'}": "1x20", "held_up{by='cluster'}": "1x20"}, (), (9, 15)),
    Case("AffirmWorkerFiguresOld", {"queue_figures_age_seconds{}": "0+60x10 5x20", **WELL}, (7, 10), (5, 6, 11)),
    Case(
        "AffirmWorkerFiguresOld",
        {"queue_figures_age_seconds{}": "0+60x30", "held_up{by='database'}": "0x2 1x30"},
        quiet=(10, 20),
    ),
    Case(
        "AffirmWorkerRunsCutOff",
        {"runs_cut_off_total{pool='default',what='storage'}": "0x9 1 2x40"},
        (12, 20),
        (9, 10, 30),
        OF_POOL | {"what": "storage"},
    ),
    Case("AffirmWorkerRunsCutOff", {"runs_cut_off_total{pool='default',what='storage'}": "0x9 1x40"}, (), (11, 20)),
    Case("AffirmWorkerPoolBlocked", _pool("pool_blocked", "0x4 1x9 0x20"), (10, 14), (4, 9, 15), OF_POOL),
    Case("AffirmWorkerPoolBlocked", _pool("pool_blocked", "0 1x3 0x20"), (), (3, 6, 9)),
    Case("AffirmWorkerQueueStuck", _queue("0x19 3x20 0x20"), (25, 40), (19, 24, 41), OF_POOL),
    Case("AffirmWorkerQueueStuck", _queue("0x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue(runs___running="1x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue() | _pool("queue_wait_seconds_count", "0+1x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue() | _pool("pool_paused", "1x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue() | _pool("pool_blocked", "1x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue() | _pool("pool_maximum_runs", "0x120"), quiet=(30, 60)),
    Case("AffirmWorkerQueueStuck", _queue() | {"held_up{by='database'}": "1x120"}, quiet=(30, 60)),
    Case(
        "AffirmWorkerQueueOld",
        _queue() | _pool("queue_oldest_wait_seconds", "0+60x60 0x20"),
        (36, 60),
        (30, 35, 61),
        OF_POOL,
    ),
    Case(
        "AffirmWorkerQueueOld",
        _queue() | _pool("queue_oldest_wait_seconds", "0+60x90") | _pool("pool_paused", "1x90"),
        quiet=(50, 80),
    ),
    Case(
        "AffirmWorkerQueueOld",
        _queue() | _pool("queue_oldest_wait_seconds", "0+60x90") | _pool("pool_maximum_runs", "0x90"),
        quiet=(50, 80),
    ),
    Case(
        "AffirmWorkerPauseForgotten",
        _queue("3x1500") | _pool("pool_paused", "1x1449 0x50"),
        (1440,),
        (1430, 1450),
        OF_POOL,
    ),
    Case(
        "AffirmWorkerPauseForgotten",
        _queue("3x1500") | _pool("pool_paused", "0x1500") | _pool("pool_maximum_runs", "0x1500"),
        (1440,),
        (1430,),
        OF_POOL,
    ),
    Case("AffirmWorkerPauseForgotten", _queue("0x1500") | _pool("pool_paused", "1x1500"), quiet=(1440, 1450)),
    Case(
        "AffirmWorkerRunsDoNotStart",
        _queue(runs___pending="2x39 0x80") | {"runs{pool='default',state='running'}": "0x39 2x80"},
        (16, 39),
        (14, 40),
        OF_POOL,
    ),
    Case("AffirmWorkerRunsDoNotStart", _queue(runs___pending="2x120", runs___running="1x120"), quiet=(30, 60)),
    Case(
        "AffirmWorkerRunsDoNotStart",
        _queue(runs___pending="2x120") | _settled(completed__completed="0+1x120"),
        quiet=(30, 60),
    ),
    Case("AffirmWorkerRunsDoNotStart", _queue(runs___pending="2x120") | _pool("pool_blocked", "1x120"), quiet=(30, 60)),
    Case(
        "AffirmWorkerJobsFail",
        _settled(completed__completed="0x9 9x60", rejected__failed="0x9 1 2 3x60", crashed__failed="0x9 1x60"),
        (13, 38),
        (9, 10, 45),
        OF_POOL | {"cause": "rejected"},
    ),
    Case("AffirmWorkerJobsFail", _settled(completed__completed="0x60", rejected__failed="0x9 2x60"), quiet=(12, 30)),
    Case(
        "AffirmWorkerJobsFail", _settled(completed__completed="0x9 20x60", rejected__failed="0x9 4x60"), quiet=(12, 30)
    ),
    Case(
        "AffirmWorkerRunsInterrupted",
        _settled(completed__completed="0x9 6x60", evicted__requeued="0x9 3x60", node_lost__requeued="0x10 2x60"),
        (12, 38),
        (9, 10, 45),
        OF_POOL,
    ),
    Case(
        "AffirmWorkerRunsInterrupted", _settled(completed__completed="0x60", evicted__requeued="0x9 4x60"), (), (12, 30)
    ),
    Case(
        "AffirmWorkerRunsInterrupted",
        _settled(completed__completed="0x9 30x60", evicted__requeued="0x9 9x60"),
        (),
        (12, 30),
    ),
    Case("AffirmWorkerApiDown", {"api_requests_open{}": "_x8 1x30"}, (5, 7), (4, 8, 20)),
    Case("AffirmWorkerApiDown", {"api_requests_open{}": "0x9 stale _x2 0x30"}, quiet=(9, 10, 12, 13, 20)),
    Case(
        "AffirmWorkerApiFails",
        {
            "api_requests_total{route='/v1/jobs',status='200'}": "0x9 90x40",
            "api_requests_total{route='/v1/jobs',status='503'}": "0x9 12x40",
        },
        (11, 17),
        (9, 22),
    ),
    Case("AffirmWorkerApiFails", {"api_requests_total{route='/v1/jobs',status='503'}": "0x9 9x40"}, quiet=(11, 17)),
    Case("AffirmWorkerApiFails", {"api_requests_total{route='/readyz',status='503'}": "0+30x40"}, quiet=(11, 17)),
    Case(
        "AffirmWorkerApiFails",
        {
            "api_requests_total{route='/v1/jobs',status='200'}": "0x9 900x40",
            "api_requests_total{route='/v1/jobs',status='503'}": "0x9 12x40",
            "api_requests_total{route='/v1/jobs',status='404'}": "0x9 900x40",
        },
        quiet=(11, 17),
    ),
]
