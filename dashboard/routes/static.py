"""The files that pages load. Anybody may have them: they say nothing of the installation."""

from fastapi import Response

from api.access import Access
from api.declared import Topic
from api.problems import Problem
from dashboard.static_files import static_files

topic = Topic("page files", "Style and scripts of the pages.")

FOR_EVER = "public, max-age=31536000, immutable"


@topic.route(
    "GET", "/static/{digest}/{name}", Access.PUBLIC, problems=["not-found"], gives=(), include_in_schema=False
)  # fmt: skip
async def static(digest: str, name: str) -> Response:
    """A file, if it is the one of this version."""
    found = static_files().get(name)
    if found is None or found.digest != digest:
        raise Problem("not-found", "there is no such file in this version: load the page again")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": FOR_EVER})
