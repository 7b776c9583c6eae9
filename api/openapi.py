"""The OpenAPI document: FastAPI's, with our problems instead of its own errors, and who may call what."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.access import Access
from api.declared import DeclaredRoute
from api.problem_codes import PROBLEMS

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "An error, as RFC 9457 has it, with the members of the old API's errors.",
    "required": ["type", "title", "status", "detail", "instance", "code", "message", "errors", "error", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "/problems/CODE, a page about it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "enum": [*PROBLEMS]},
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "error": {
            "type": ["object", "string"],
            "description": "code, message and details; below /api/ the message alone.",
        },
        "request_id": {"type": "string"},
        "actions": {"type": "array", "items": {"type": "object"}, "description": "What helps against it."},
        "no_route": {"type": "boolean", "description": "True if the API has no such address at all."},
    },
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once for each application."""
    if app.openapi_schema is None:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def as_text(app: FastAPI) -> str:
    """The document as a file."""
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"


def _made(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = found.setdefault("components", {})
    shapes = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        shapes.pop(name, None)
    shapes["Problem"] = PROBLEM
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key that affirm-worker keys make has made."}
    }
    for route in app.routes:
        if not isinstance(route, DeclaredRoute) or not route.include_in_schema:
            continue
        _complete(found["paths"][route.path_format][route.method.lower()], route.declared.access)
    return found


def _complete(operation: dict[str, Any], access: Access) -> None:
    """Says who may call it, and takes FastAPI's own error out."""
    operation["x-access"] = str(access)
    if access is not Access.PUBLIC:
        operation["security"] = [{"key": []}] if access is not Access.NAMES else [{"key": []}, {}]
    unprocessable = operation["responses"].get("422", {})
    if "HTTPValidationError" in json.dumps(unprocessable):
        del operation["responses"]["422"]
