"""Makes pages of templates: the frame around them, and the headers that keep a browser from running anything else."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from api.context import Context
from api.exchange import exchange_of
from dashboard import paths, writing
from dashboard.frame import Frame, here_of, outcome_of, theme_of
from dashboard.offers import shown
from dashboard.static_files import static_files
from services.obstacle_words import in_the_way
from services.problems import Health

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and do: nothing of others, and no script or style within the page itself."""

FRAGMENT = "HX-Request"
"""The header by which the script of a page asks for what changes of it."""

HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Vary": f"{FRAGMENT}, Cookie"}


def page(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page for whoever asks, with the state of the installation.

    Args:
        request: of a route that not everybody may call.
        template: its name, without its end.
        values: what it is made of.
        status: of the answer.

    Raises:
        RunError: as the database has it, if nobody has asked for the figures before.
    """
    context: Context = request.app.state.context
    frame = Frame(
        here_of(request),
        exchange_of(request.scope).caller,
        context.sampler.figures(),
        theme_of(request.headers),
        outcome_of(request),
        FRAGMENT in request.headers,
        context.settings.api_read_only,
    )
    return rendered(frame, template, values, status)


def rendered(
    frame: Frame, template: str, values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A page in a frame that is made already."""
    text = _environment().get_template(f"{template}.html").render({**values, "frame": frame})
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=writing.finished,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(writing.FILTERS)
    made.globals.update(
        paths=paths, static=lambda name: static_files()[name].href, shown=shown, Health=Health,
        in_the_way=in_the_way,
    )  # fmt: skip
    return made
