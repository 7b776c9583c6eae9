"""Uploads as tests send them, and what has become of them."""

import hashlib
import time
from typing import Any

from tests.api.client import Answer, Api
from tests.api.forms import FILE, Part, form

CONTENT = b"Mary,F,7065\nJohn,M,9655\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def send(api: Api, *parts: Part, path: str = "/v1/datasets/upload", **how: Any) -> Answer:
    """Sends a form, as an uploader unless told otherwise."""
    body, content_type = form(*parts)
    headers = {"Content-Type": content_type} | how.pop("headers", {})
    return api.post(path, body=body, headers=headers, **{"role": "uploader", **how})


def upload(api: Api, content: bytes = CONTENT, name: str = "yob2020.txt", country: str = "US", **fields: Any) -> Answer:
    return send(api, Part(FILE, content, name), Part("country", country), *(Part(*one) for one in fields.items()))


def stored(api: Api) -> list[bytes]:
    """The content of every file in storage."""
    return [path.read_bytes() for path in (api.world.folder / "storage").rglob("*") if path.is_file()]


def kept(api: Api) -> tuple[int, int, int, int]:
    """How many datasets, jobs, stored files and files in the making there are."""
    counts = api.world.one("select (select count(*) from datasets) as datasets, (select count(*) from jobs) as jobs")
    return counts["datasets"], counts["jobs"], len(stored(api)), len(api.context.uploads.spool)


NOTHING = (0, 0, 0, 0)
ONE = (1, 1, 1, 0)


def wait_for(kept_now: tuple[int, int, int, int], api: Api) -> None:
    """Waits until so much is kept: for what nobody answers to."""
    for _ in range(1000):
        if kept(api) == kept_now:
            return
        time.sleep(0.02)
    raise AssertionError(f"{kept(api)} instead of {kept_now}")
