"""What can go wrong with a test cluster, and with what tests stand on."""


class ClusterError(Exception):
    """A cluster that should have worked did not; the message says which part and where its log is."""


class Unavailable(Exception):
    """Something is not possible on this machine; the message says why, and what would make it possible."""


class NotPrepared(Exception):
    """Tests need something that is not built yet.

    Args:
        what: its name.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not there, and only `make prepare` builds for tests")
        self.what = what
