"""docs/openapi.json, from the routes."""

from api.app import bare_app
from api.openapi import as_text
from docs.generate import DOCS

PAGE = DOCS / "openapi.json"


def page() -> str:
    """The OpenAPI document."""
    return as_text(bare_app())
