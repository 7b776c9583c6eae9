"""Ids in addresses: whole, or by their first digits as the command line takes them."""

from collections.abc import Callable
from uuid import UUID

from api.problems import Problem
from dataset_jobs.model.requests import InvalidRequest, NotFound
from services.client import Client

LATEST = "latest"
"""Stands in place of a job's id. No id begins so."""


def job_of(client: Client, given: str) -> UUID:
    """The job that an address names; raises NotFound, or a Problem if it can be none.

    `latest` is the one whose run began last.
    """
    if given == LATEST:
        return client.jobs.latest()
    return _id(client.jobs.find, given)


def dataset_of(client: Client, given: str) -> UUID:
    """The dataset that an address names; raises as `job_of`."""
    return _id(client.datasets.find, given)


def _id(find: Callable[[str], UUID], given: str) -> UUID:
    try:
        return find(given)
    except NotFound:
        raise
    except InvalidRequest as error:  # an address that is no id, or that of several, is the address of nothing
        raise Problem("not-found", str(error)) from None
