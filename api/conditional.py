"""JSON answers: what is read has an `ETag`, and need not be sent again; what is done is not kept."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from dataset_jobs.model.text import storable_values
from services.to_json import to_json

PRIVATE = "private, no-cache"


def answer(request: Request, value: Mapping[str, Any], *, cache: str = PRIVATE, version: str = "") -> Response:
    """JSON with its ETag, or 304 if the client has it already. Times of looking, `as_of`, change no tag.

    Args:
        request: may have `If-None-Match`.
        value: `data`, and what is said beside it, such as `meta`: what `to_json` takes.
        cache: the header Cache-Control.
        version: for `If-Match`: of what can be changed, where the answer has more than that.
    """
    data = _json(value["data"])  # once: it can be long
    beside = {name: one for name, one in value.items() if name != "data"}
    digest = hashlib.sha256(data + _json(_timeless(beside))).hexdigest()[:32]
    tag = f'"{digest}{version and "-"}{version}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if not_modified(request, tag):
        return Response(status_code=304, headers=headers)
    body = b'{"data":' + data + (b"," + _json(beside)[1:] if beside else b"}")
    return Response(body, 200, headers, "application/json")


def _timeless(beside: Mapping[str, Any]) -> dict[str, Any]:
    """What is said beside the data, without when that was so."""
    return {
        name: _timeless(one) if isinstance(one, Mapping) else one for name, one in beside.items() if name != "as_of"
    }


def done(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON of what has been done, which nobody keeps.

    Args:
        value: what `to_json` takes.
        status: of the answer.
        headers: further ones, such as Location.
    """
    return Response(_json(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _json(value: Any) -> bytes:
    return body_of(to_json(value))


def body_of(value: Any) -> bytes:
    """Plain JSON values as a body."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:  # an infinity, or half of a surrogate pair
        return json.dumps(storable_values(value), ensure_ascii=False, separators=(",", ":")).encode()


def not_modified(request: Request, tag: str) -> bool:
    """Whether the client has the answer of this tag already; the answer to an act is sent always."""
    if request.method != "GET":
        return False
    tags = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return "*" in tags or tag in tags


def versions_seen(request: Request) -> list[str] | None:
    """The versions that `If-Match` names, of tags that `answer` has made; None if any will do."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    return [one.strip().strip('"').rpartition("-")[2] for one in given.split(",")]
