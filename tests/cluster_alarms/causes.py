"""What makes each alert fire on a cluster, and takes the cause away again."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from tests.cluster_alarms.place import API, Forward, Place
from tests.e2e.installation import RELEASE, evict
from tests.e2e.loads import COPY_WAITS, copy_held_up

NOWHERE = "localhost/affirm-parser-runner:nowhere"
ROOM = "affirm.test/room"
"""A label that no node has at first."""

INTERRUPTED = 6
AT_WORK = 5
"""So many of them wait to be evicted: all of them, unless one was late and another one has waited for too long."""

PEOPLE = 20
"""Who ask the API at the same time."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What is done to the installation, and the alerts that follow from it.

    Args:
        alerts: their names, without AffirmWorker.
        how: the cause, and what takes it away, for a table.
        provoke: brings it about, calls its second argument when it begins, and takes it away in the end.
        pool: the one that the alerts are about.
    """

    alerts: tuple[str, ...]
    how: str
    provoke: Callable[[Place, Callable[[], None]], AbstractContextManager[None]]
    pool: str = ""


# --- pools, each with a trouble of its own ------------------------------------------------------------------------


@contextmanager
def _missing_image(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    # The run with the wrong image is given up after so long, and until then no other one is tried.
    soon = {"startDeadline": "10s"}
    place.pool("blocked", runner={"image": NOWHERE, "imagePullPolicy": "Never", **soon})
    begins()
    place.submit("blocked", 1)
    yield
    place.pool("blocked", runner=soon)
    place.installation.cli("pools", "resume", "blocked")


@contextmanager
def _deleted_pool(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    place.pool("unserved")
    place.installation.kubectl("delete", "parserpool", "unserved", "--timeout=60s")
    begins()
    place.submit("unserved", 1)
    yield
    place.pool("unserved")


@contextmanager
def _paused_pool(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    place.pool("paused", paused=True)
    begins()
    place.submit("paused", 1)
    yield
    place.pool("paused", paused=False)


@contextmanager
def _no_room(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    place.installation.kubectl("label", "nodes", "--all", f"{ROOM}-")
    place.pool("pending", runner={"nodeSelector": {ROOM: "yes"}})
    begins()
    place.submit("pending", 1)
    yield
    place.installation.kubectl("label", "nodes", "--all", f"{ROOM}=yes")


@contextmanager
def _malformed_files(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    place.pool("failing")
    begins()
    place.submit("failing", 3, "Mary,F,in {year}")
    yield


@contextmanager
def _evictions(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    installation = place.installation
    place.pool("evicted", paused=True)
    submitted = place.submit("evicted", INTERRUPTED)
    with ExitStack() as held:
        for one in submitted:
            [dataset] = installation.query("select filename from datasets where id = %s", one["dataset_id"])
            held.enter_context(copy_held_up(installation, one["dataset_id"], int(dataset["filename"][3:7]), "Mary"))
        place.pool("evicted", paused=False)
        installation.until(f"select 1 where (select count(*) from ({COPY_WAITS}) waiting) >= {AT_WORK}")
        begins()
        for pod in installation.runner_pods():
            if pod["metadata"]["labels"].get("affirm.dev/pool") == "evicted":
                evict(installation, pod["metadata"]["name"])
        yield


# --- the whole installation, one after the other ------------------------------------------------------------------


@contextmanager
def _no_storage(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    place.pool("cut", paused=True)
    place.submit("cut", 3)
    place.servers.s3.stop()
    try:
        begins()
        place.pool("cut", paused=False)
        yield
    finally:
        place.servers.s3.start()


@contextmanager
def _dead_webhook(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    cluster, namespace = place.installation.cluster, place.installation.namespace
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    webhook = {
        "name": "nobody.affirm.test",
        "clientConfig": {"url": f"https://{cluster.host_address}:9/"},
        "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
    }
    trial = ("create", "job", "asked", "--image=localhost/none:1", "--dry-run=server", "-o", "name")
    cluster.apply({**kind, "metadata": {"name": namespace}, "webhooks": [webhook]})
    try:
        cluster.wait(lambda: place.installation.kubectl(*trial, check=False) == "", "the webhook to be asked")
        begins()
        place.submit("default", 1)
        yield
    finally:
        cluster.kubectl("delete", kind["kind"], namespace)


@contextmanager
def _older_schema(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    last = "delete from schema_migrations where version = (select max(version) from schema_migrations) returning *"
    [row] = place.installation.query(last)
    begins()
    try:
        yield
    finally:
        again = "insert into schema_migrations (version, name, applied_at) values (%s, %s, %s)"
        place.installation.query(again, row["version"], row["name"], row["applied_at"])


@contextmanager
def _locked_table(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    with psycopg.connect(place.installation.conninfo) as somebody:
        somebody.execute("lock table pools in access exclusive mode")
        begins()
        yield
        somebody.rollback()


@contextmanager
def _no_database(place: Place, begins: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def ask() -> None:
        while not over.wait(1):
            place.ask()

    with ThreadPoolExecutor(PEOPLE) as people:
        place.servers.postgres.stop("immediate")
        begins()
        for _ in range(PEOPLE):
            people.submit(ask)
        try:
            yield
        finally:
            over.set()
            place.servers.postgres.start()


@contextmanager
def _scaled_down(place: Place, deployment: str, ways: tuple[Forward, ...]) -> Iterator[None]:
    place.installation.kubectl("scale", f"deployment/{deployment}", "--replicas=0")
    try:
        yield
    finally:
        place.installation.kubectl("scale", f"deployment/{deployment}", "--replicas=1")
    place.installation.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=100s")
    for way in ways:
        way.renew()


def _no_api(place: Place, _: Callable[[], None]) -> AbstractContextManager[None]:
    return _scaled_down(place, API, (place.api_metrics, place.api))


def _no_controller(place: Place, _: Callable[[], None]) -> AbstractContextManager[None]:
    return _scaled_down(place, RELEASE, (place.controller,))


SIDE_BY_SIDE = (
    Cause(("PoolBlocked",), "a runner image that no node has; the right image", _missing_image, "blocked"),
    Cause(("QueueStuck", "QueueOld"), "a job whose ParserPool was deleted; the ParserPool", _deleted_pool, "unserved"),
    Cause(("PauseForgotten",), "a paused ParserPool and a job; the pause ends", _paused_pool, "paused"),
    Cause(("RunsDoNotStart",), "a node selector that no node fits; a label of the node", _no_room, "pending"),
    Cause(("JobsFail",), "3 malformed files; no more of them", _malformed_files, "failing"),
    Cause(
        ("RunsInterrupted",), f"{INTERRUPTED} pods at work evicted by the Eviction API; no more", _evictions, "evicted"
    ),
)
"""Each in a pool of its own: none disturbs another one."""

ONE_BY_ONE = (
    Cause(("RunsCutOff",), "the S3 server is stopped under 3 runs; it is started", _no_storage, "cut"),
    Cause(("ClusterAway",), "a webhook for Jobs that nobody answers; it is removed", _dead_webhook),
    Cause(("HeldUp",), "the newest migration's row is gone; it is back", _older_schema),
    Cause(("StandsStill", "FiguresOld"), "somebody's transaction locks `pools`; it ends", _locked_table),
    Cause(("DatabaseAway", "ApiFails"), "Postgres crashes while people ask the API; it starts", _no_database),
    Cause(("ApiDown",), "the API is scaled to 0; to 1", _no_api),
    Cause(("NoController",), "the controller is scaled to 0; to 1", _no_controller),
)
"""Each would disturb all others."""
