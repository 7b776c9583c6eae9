"""What can go wrong with a test cluster."""


class ClusterError(Exception):
    """A cluster that should have worked did not; the message says which part and where its log is."""


class Unavailable(Exception):
    """No cluster is possible on this machine; the message says why, and what would make it possible."""
