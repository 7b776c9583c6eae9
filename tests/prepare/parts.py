"""What the tests of each make target need: things that are built, and needs that the machine meets or not."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.cluster import binaries, existing, go_toolchain, gobuild, images, kind
from tests.cluster.errors import NotPrepared
from tests.prepare import needs
from tests.servers import axe, postgres


@dataclass(frozen=True)
class Thing:
    """Something that is built, fetched or made once, and then kept.

    Args:
        how: the kind of work, such as "building".
        name: for the person who waits.
        make: returns at once if it is there; raises NotPrepared if it is not and nothing may be built.
        is_go: it is built by Go, which may have to be fetched first.
    """

    how: str
    name: str
    make: Callable[[], object]
    is_go: bool = False

    def is_there(self) -> bool:
        """Whether nothing is left to do."""
        try:
            self.make()
        except NotPrepared:
            return False
        return True


@dataclass(frozen=True)
class Part:
    """What a make target runs.

    Args:
        things: what its tests need, in the order in which they are made.
        needs: what its tests need of the machine.
    """

    things: tuple[Thing, ...]
    needs: tuple[str, ...] = ()


def _go(version: str, make: Callable[[], object]) -> Thing:
    return Thing("building", f"{getattr(make, '__name__', '')} {version}", make, is_go=True)


def _postgres() -> None:
    for version in (16, 18):
        postgres.binaries(version)


def _client_programs() -> None:
    binaries.helm()
    binaries.kubectl()


def _image(image: images.Image | None) -> Thing:
    return Thing("building", f"image {image.name}" if image else "base image", partial(images.archive, image))


GO = Thing("fetching", "Go", lambda: go_toolchain.command(gobuild.MODULES / "kubernetes"))
HELM = Thing("fetching", "helm and kubectl", _client_programs)
HELM_3 = Thing("fetching", "helm 3", binaries.helm_3)
POSTGRES = Thing("making", f"the user {postgres.OS_USER}, for Postgres", _postgres)
S3 = _go(binaries.VERSITYGW_VERSION, binaries.versitygw)
AXE = Thing("fetching", "axe-core", axe.script)
KARPENTER = _go(binaries.KARPENTER_VERSION, binaries.karpenter)
KIND = Thing("fetching", "kind and its node", kind.fetch)
LOCAL_CLUSTER = (
    _go(binaries.PAUSE_VERSION, binaries.pause),
    _go(binaries.ETCD_VERSION, binaries.etcd),
    _go(binaries.KWOK_VERSION, binaries.kwok),
    _go(binaries.KUBERNETES_VERSION, binaries.kubernetes),
)
IMAGES = tuple(_image(image) for image in images.ALL)


def cluster() -> tuple[Thing, ...]:
    """What a Kubernetes for tests needs on this machine: nothing if none is possible."""
    if needs.lacking("kubernetes"):
        return ()
    if existing.why_not() is None:
        return (HELM, HELM_3)
    return (HELM, HELM_3, KIND) if kind.why_not() is None else (HELM, HELM_3, *LOCAL_CLUSTER)


def part(name: str) -> Part:
    """What `make NAME` needs.

    Raises:
        KeyError: there is no such part; the names are in NAMES.
    """
    return _PARTS[name]()


def _end_to_end() -> Part:
    found = cluster()
    return Part((*found, POSTGRES, S3, *IMAGES) if found else (), ("kubernetes",))


def _nodes() -> Part:
    found = cluster()
    return Part((*found, POSTGRES, KARPENTER) if found else (), ("kubernetes",))


def _all() -> Part:
    parts = [part(name) for name in ("check", "model", "integration", "faults", "e2e")]
    things = dict.fromkeys(thing for one in parts for thing in one.things)
    return Part(tuple(things), tuple(dict.fromkeys(need for one in parts for need in one.needs)))


_PARTS: dict[str, Callable[[], Part]] = {
    "all": _all,
    "chart": lambda: Part((HELM, HELM_3)),
    "check": lambda: Part((HELM, HELM_3), ("promtool",)),
    "model": lambda: Part((), ("spin",)),
    "integration": lambda: Part((POSTGRES, S3, AXE), ("browser", "curl", "pgbouncer", "promtool", "postgres-15")),
    "faults": lambda: Part((POSTGRES,)),
    "e2e": _end_to_end,
    "cluster": lambda: Part(cluster(), ("kubernetes",)),
    "bench": lambda: Part((POSTGRES, S3)),
    "nodes": _nodes,
}
NAMES = tuple(_PARTS)
FOLDERS = {
    "unit": "check",
    "api": "integration",
    "dashboard": "integration",
    "model": "model",
    "conformance": "integration",
    "integration": "integration",
    "outages": "integration",
    "remote": "integration",
    "chaos": "faults",
    "e2e": "e2e",
}
"""The part that a folder of tests belongs to."""
