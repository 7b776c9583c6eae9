"""Where pages are, and which addresses a form may lead back to."""

import re
from urllib.parse import quote, urlencode
from uuid import UUID

HOME = "/"
LOGIN = "/login"
JOBS = "/jobs"
FAILURES = "/failures"
DATASETS = "/datasets"
OPERATIONS = "/operations"
SELECTION = "/selection"
KEYBOARD = "/keyboard"
UPLOAD = "/upload"
SCHEDULES = "/schedules"
SETTINGS = "/settings"
KEYS = "/keys"
AUDIT = "/audit"
DOCTOR = "/doctor"

_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path of this server: `//` is another one, browsers take `\\` for a slash, and leave out control characters."""

LONGEST = 2_000


def own_path(given: str) -> str:
    """A path of this server as it was given; the overview for anything else."""
    return given if len(given) <= LONGEST and _OWN.fullmatch(given) else HOME


def login(back: str, why: str | None = None) -> str:
    """The page of the login, which leads back to a path, and may say why the last one has ended."""
    asked = {**({} if back == HOME else {"next": back}), **({} if why is None else {"why": why})}
    return f"{LOGIN}?{urlencode(asked)}" if asked else LOGIN


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


def batch(name: str) -> str:
    """What was uploaded together."""
    return f"/uploads/{quote(name, safe='')}"


def schedule(name: str) -> str:
    """A schedule, and what can be changed of it."""
    return f"{SCHEDULES}/{quote(name, safe='')}"


def jobs(words: str = "") -> str:
    """The list of jobs, filtered by words such as `state:failed`."""
    return f"/jobs?{urlencode({'q': words})}" if words else "/jobs"


def jobs_after(words: str, cursor: str) -> str:
    """A further page of the same list."""
    return f"/jobs?{urlencode({'q': words, 'cursor': cursor} if words else {'cursor': cursor})}"


def dataset(dataset_id: UUID | str) -> str:
    """A dataset: what is loaded of it, and what became of it."""
    return f"{DATASETS}/{quote(str(dataset_id), safe='')}"


def dataset_file(dataset_id: UUID | str) -> str:
    """The bytes of a dataset's file, by the API."""
    return f"/v1{dataset(dataset_id)}/file"


def datasets(words: str = "") -> str:
    """The list of datasets, filtered by words such as `status:failed`."""
    return f"{DATASETS}?{urlencode({'q': words})}" if words else DATASETS


def datasets_after(words: str, cursor: str) -> str:
    """A further page of the same list."""
    return f"{DATASETS}?{urlencode({'q': words, 'cursor': cursor} if words else {'cursor': cursor})}"


def with_outcome(back: str, outcome: str) -> str:
    """A path, with what has just been done: the page says it in its status line."""
    path, _, query = back.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("did=")]
    return f"{path}?{'&'.join([*kept, urlencode({'did': outcome})])}"
