"""Where pages are, and which addresses a form may lead back to."""

import re
from urllib.parse import quote, urlencode
from uuid import UUID

HOME = "/"
LOGIN = "/login"
JOBS = "/jobs"
FAILURES = "/failures"
OPERATIONS = "/operations"
SELECTION = "/selection"
KEYBOARD = "/keyboard"

_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path of this server: `//` is another one, browsers take `\\` for a slash, and leave out control characters."""

LONGEST = 2_000


def own_path(given: str) -> str:
    """A path of this server as it was given; the overview for anything else."""
    return given if len(given) <= LONGEST and _OWN.fullmatch(given) else HOME


def login(back: str) -> str:
    """The page of the login, which leads back to a path."""
    return LOGIN if back == HOME else f"{LOGIN}?{urlencode({'next': back})}"


def job(job_id: UUID | str) -> str:
    """The story of a job."""
    return f"/jobs/{quote(str(job_id), safe='')}"


def pool(name: str) -> str:
    """A pool and its past."""
    return f"/pools/{quote(name, safe='')}"


def operation(operation_id: UUID | str) -> str:
    """An operation, and how far it is."""
    return f"{OPERATIONS}/{quote(str(operation_id), safe='')}"


def operations_before(key: int) -> str:
    """A further page of the operations."""
    return f"{OPERATIONS}?before={key}"


def new_operation(action: str, words: str) -> str:
    """Asks whether an act is to be done with all jobs of a filter line."""
    return f"{OPERATIONS}/new?{urlencode({'action': action, 'q': words})}"


def jobs(words: str = "") -> str:
    """The list of jobs, filtered by words such as `state:failed`."""
    return f"/jobs?{urlencode({'q': words})}" if words else "/jobs"


def jobs_after(words: str, cursor: str) -> str:
    """A further page of the same list."""
    return f"/jobs?{urlencode({'q': words, 'cursor': cursor} if words else {'cursor': cursor})}"


def with_outcome(back: str, outcome: str) -> str:
    """A path, with what has just been done: the page says it in its status line."""
    path, _, query = back.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("did=")]
    return f"{path}?{'&'.join([*kept, urlencode({'did': outcome})])}"
