"""Whether a runner fits the controller that starts it: the controller says its version, and the runner compares.

The schema must be the same. The version's name is for people.
"""

from collections.abc import Mapping

from dataset_jobs.migrations import LATEST
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured

_VERSION, _SCHEMA = "CONTROLLER_VERSION", "CONTROLLER_SCHEMA"


def own_version() -> str:
    """The version of this program, as its package has it."""
    from importlib.metadata import version  # takes longer than all the rest here, and a runner rarely asks

    return version("affirm-worker")


def told_to_runners() -> dict[str, str]:
    """What a controller puts into a runner's environment."""
    return {_VERSION: own_version(), _SCHEMA: str(LATEST)}


def check_version(environment: Mapping[str, str]) -> None:
    """Checks that this program can work for the controller that has started it.

    Args:
        environment: the runner's. Without a controller it has no version.

    Raises:
        Misconfigured: it cannot; names both versions.
    """
    schema = environment.get(_SCHEMA)
    if schema is not None and schema != str(LATEST):
        raise Misconfigured(
            f"the runner's image is of version {own_version()} (schema {LATEST}), but the controller of version "
            f"{environment.get(_VERSION, 'unknown')} (schema {schema})",
            Reason.IMAGE,
        )
