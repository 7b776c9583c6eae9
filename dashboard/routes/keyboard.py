"""What keys do, for whoever has no scripts, or wants to switch the keys off."""

from fastapi import Request, Response

from api.access import Access
from api.declared import Topic
from dashboard import paths
from dashboard.declaring import shows
from dashboard.rendering import page

topic = Topic("keyboard", "What keys do on pages.")


@shows(topic, paths.KEYBOARD, Access.VIEWER)
def keyboard(request: Request) -> Response:
    """The same as the dialog of every page."""
    return page(request, "keyboard", {})
