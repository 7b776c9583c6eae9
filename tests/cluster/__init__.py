"""A real Kubernetes for end-to-end tests and for work by hand.

`acquire()` finds or starts one, see README.md; `python -m tests.cluster up` and its companions do it by hand.
"""

from tests.cluster.api import Cluster
from tests.cluster.errors import ClusterError, Unavailable
from tests.cluster.lifecycle import acquire

__all__ = ["Cluster", "ClusterError", "Unavailable", "acquire"]
