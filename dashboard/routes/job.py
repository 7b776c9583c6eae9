"""A job's story: where it stands, what it waits for, what one can do, all that happened, and who did what."""

from fastapi import Request, Response

from api.access import Access
from api.context import Calling, Using
from api.declared import Topic
from api.ids import job_of
from api.routes.jobs import progress_of
from dashboard.declaring import shows
from dashboard.rendering import page
from dataset_jobs.model.actor import target_of
from services.audit import AuditFilter
from services.keys import Role
from services.progress import pace

topic = Topic("story of a job", "What happened to a job, and why.")

ACTS_SHOWN = 20


@shows(topic, "/jobs/{job_id}", Access.VIEWER, problems=["not-found"])
def show_job(request: Request, using: Using, caller: Calling, job_id: str) -> Response:
    """The words of `affirm-worker jobs explain`, with buttons. Who did what is for admins, as in the audit."""
    client = using.client
    story = client.story(job_of(client, job_id))
    job, is_admin = story.job, caller.may(Role.ADMIN)
    last = story.runs[-1].run if story.runs else None
    acts = AuditFilter(target=target_of("job", job.id))
    values = {
        "story": story,
        "job": job,
        "progress": progress_of(job, last),
        "pace": pace(last),
        "own": not is_admin and client.audit.is_upload_of(job.dataset_id, caller.key_id, caller.name),
        "acts": client.audit.page(acts, ACTS_SHOWN).items if is_admin else (),
    }
    return page(request, "job", values)
