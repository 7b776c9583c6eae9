"""A dataset: what it is, what is loaded of it, whom it replaces, its jobs, and what one can do."""

from fastapi import Request, Response

from api.access import Access
from api.context import Calling, Using
from api.declared import Topic
from api.ids import dataset_of
from api.routes.jobs import progress_of
from dashboard.declaring import shows
from dashboard.rendering import page
from dashboard.routes.job import ACTS_SHOWN
from dataset_jobs.model.actor import target_of
from services.audit import AuditFilter
from services.dataset_story import dataset_story
from services.keys import Role

topic = Topic("page of a dataset", "What is loaded of a dataset, and what became of it.")


@shows(topic, "/datasets/{dataset_id}", Access.VIEWER, problems=["not-found"])
def show_dataset(request: Request, using: Using, caller: Calling, dataset_id: str) -> Response:
    """All that there is of it. Who did what is for admins, as in the audit."""
    client = using.client
    story = dataset_story(client, dataset_of(client, dataset_id))
    dataset, is_admin = story.dataset, caller.may(Role.ADMIN)
    last = story.job.runs[-1].run if story.job is not None and story.job.runs else None
    acts = AuditFilter(target=target_of("dataset", dataset.id))
    values = {
        "story": story,
        "dataset": dataset,
        "job": story.job,
        "progress": None if story.job is None else progress_of(story.job.job, last),
        "pools": [pool.name for pool in using.sampler.figures().status.pools],
        "pool": using.settings.pool,
        "own": not is_admin and client.audit.is_upload_of(dataset.id, caller.key_id, caller.name),
        "acts": client.audit.page(acts, ACTS_SHOWN).items if is_admin else (),
    }
    return page(request, "dataset", values)
