"""What controller and API have in common in counting for Prometheus: a registry, and a description of each metric."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Histogram buckets in seconds for what nobody should notice."""


@dataclass(frozen=True, slots=True)
class Described:
    """A metric, for the documentation. `shared`: the same from every process."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    shared: bool


class MetricSet:
    """The metrics of one process, in a registry of their own.

    Attributes:
        described: each of them, for the documentation.
        registry: has them, and those of the process itself.
    """

    def __init__(self) -> None:
        self.described: list[Described] = []
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics as text, in the format that an Accept header asks for, and its content type.

        It returns at once: whatever comes from a database was read before.
        """
        encoder, content_type = choose_encoder(accept)
        return encoder(self.registry), content_type

    def _gauge(self, name: str, meaning: str, *labels: str, shared: bool = True) -> Gauge:
        return Gauge(*self._described(name, meaning, labels, "gauge", shared), registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(*self._described(name, meaning, labels, "counter"), registry=self.registry)

    def _histogram(self, name: str, meaning: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        described = self._described(name, meaning, labels, "histogram")
        return Histogram(*described, registry=self.registry, buckets=bounds)

    def _described(
        self, name: str, meaning: str, labels: tuple[str, ...], kind: str, shared: bool = False
    ) -> tuple[str, str, tuple[str, ...]]:
        self.described.append(Described(f"affirm_worker_{name}", kind, labels, meaning, shared))
        return f"affirm_worker_{name}", meaning, labels
