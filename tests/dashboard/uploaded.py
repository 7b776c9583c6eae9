"""Files that somebody with a key has uploaded."""

from uuid import UUID

from dataset_jobs.model.actor import Actor
from services.client import Client
from tests.api.client import Api
from tests.kit.submit import submit


def uploaded_by(api: Api, role: str) -> UUID:
    """A job of a file that somebody with a key has uploaded."""
    key = next(one for one in api.world.client.keys.all() if one.name == f"test {role}")
    client = Client(api.world.client.database.acting_as(Actor(key.name, "api", "upload", key.id)))
    made = submit(client, api.world.storage, api.world.file("yob1990.txt", f"Mary,F,{len(role)}\n"))
    assert made.job_id is not None
    return made.job_id
