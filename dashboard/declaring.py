"""How pages are declared: as the API's routes are, and nothing of them is in its document."""

from collections.abc import Callable, Sequence
from typing import Any

from api.access import Access
from api.declared import HTML, Endpoint, Topic

ALSO = ("did",)
"""Query parameters that every page takes."""


def shows(
    topic: Topic, path: str, access: Access = Access.VIEWER, problems: Sequence[str] = ()
) -> Callable[[Endpoint], Endpoint]:
    """Declares a page that is looked at."""
    return topic.route("GET", path, access, problems=problems, also=ALSO, gives=HTML, include_in_schema=False)


def takes(
    topic: Topic, path: str, access: Access, problems: Sequence[str] = (), **options: Any
) -> Callable[[Endpoint], Endpoint]:
    """Declares what a form is sent to. It answers with a redirect, or with a page that says why not."""
    also_common = ("cross-site", "field-invalid", *problems)
    return topic.route("POST", path, access, problems=also_common, gives=HTML, include_in_schema=False, **options)
