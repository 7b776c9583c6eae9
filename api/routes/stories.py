"""The story of a job: in the words of `affirm-worker jobs explain`, as data or as text."""

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from api.accept import chosen
from api.access import Access
from api.conditional import answer
from api.context import Using
from api.declared import Topic
from api.ids import job_of
from api.links import job_links, linked
from api.lists import one_of
from api.shapes import shape
from dataset_jobs.model.hints import Advice
from dataset_jobs.model.sentences import Sentence, written
from services.story import Story, Told
from services.story_lines import Writing, story_lines
from services.to_json import to_json

topic = Topic("stories", "The stories of jobs: what happened, why, and what can be done.")

JSON, TEXT = "application/json", "text/plain"
STORY = shape("Story", "A job's story.", Story, links=dict[str, str])


@topic.route(
    "GET", "/v1/jobs/{job_id}/story", Access.VIEWER, response_model=one_of("OneStory", "A job's story.", STORY),
    problems=["not-found"], gives=(JSON, TEXT), summary="Explain a job", example="/v1/jobs/JOB_ID/story",
    responses={200: {"content": {TEXT: {"schema": {"type": "string"}}}}},
)  # fmt: skip
def show_story(request: Request, using: Using, job_id: str) -> Response:
    """Where a job stands, what it waits for, every run with its end and the decision after it, and what can be done; as
    JSON, or as text with `Accept: text/plain`."""
    kind = chosen(request.headers.get("accept", ""), (JSON, TEXT))
    it = using.client.story(job_of(using.client, job_id))
    if kind == TEXT:
        return PlainTextResponse("".join(f"{line}\n" for line in story_lines(it, _TEXT)), headers={"Vary": "Accept"})
    data = {**linked(it), "links": job_links(it.job.id, it.job.dataset_id, it.job.pool)}
    made = answer(request, {"data": data})
    made.headers["Vary"] = "Accept"
    return made


def _requests(of: Advice | Told) -> list[str]:
    """The requests that do what a sentence names."""
    return [
        f"{action['label']}: {action['method']} {action['href']}"
        for action in linked(of)["actions"]
        if action["method"] is not None
    ]


def _told(told: Told) -> str:
    return "; ".join([str(told.text), *_requests(told)])


def _advice(advice: Advice) -> list[str]:
    return [advice.text, *(f"    {line}" for line in _requests(advice))]


def _value(value: object) -> str:
    return written(to_json(value))


def _sentence(sentence: Sentence) -> str:
    return str(sentence)


_TEXT = Writing(_sentence, _told, _advice, _value)
