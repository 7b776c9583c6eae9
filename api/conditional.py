"""Answers that need not be sent again: `ETag` and `If-None-Match`."""

import hashlib
import json
from typing import Any

from fastapi import Request, Response

from dataset_jobs.model.text import storable_values
from services.to_json import to_json

PRIVATE = "private, no-cache"
PUBLIC_MINUTE = "public, max-age=60"


def answer(request: Request, value: Any, *, cache: str = PRIVATE, status: int = 200) -> Response:
    """JSON with its ETag, or 304 if the client has it already.

    Args:
        request: may have `If-None-Match`.
        value: what `to_json` takes.
        cache: the header Cache-Control.
        status: of an answer with a body.
    """
    body = json.dumps(storable_values(to_json(value)), ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if not_modified(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


def not_modified(request: Request, tag: str) -> bool:
    """Whether the client has the answer of this tag already."""
    tags = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or tag in tags
