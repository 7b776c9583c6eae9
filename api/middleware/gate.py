"""The gate: finds the route, who calls and whether they may, before a byte of the body is read."""

from collections.abc import Sequence

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accept import chosen
from api.access import Access, Caller, Via
from api.context import Context
from api.declared import UNSAFE, Declared, declared_by
from api.exchange import exchange_of
from api.middleware.callers import SAID_BY_PROXIES, Callers
from api.parameters import check_query
from api.problems import Problem
from dataset_jobs.model.errors import Unavailable


class Gate:
    """Lets a request through to its route, or raises the `Problem` that says why not.

    Args:
        app: the next one.
        context: settings, keys and rates.
        routes: all there are; they may be added later.
    """

    def __init__(self, app: ASGIApp, context: Context, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._context = context
        self._routes = routes
        self._callers = Callers(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._pass(scope)
            # Whoever reads them below would believe anybody.
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in SAID_BY_PROXIES]
        await self._app(scope, receive, send)

    async def _pass(self, scope: Scope) -> None:
        exchange, headers = exchange_of(scope), Headers(scope=scope)
        declared = exchange.declared = self._declared(scope)
        if declared.access is not Access.PUBLIC:
            caller = self._callers.without_database(scope, headers)
            if caller is None:
                try:
                    caller = await run_sync(self._callers.by_database, scope, headers)
                except Unavailable:
                    caller = self._callers.lately(headers) if declared.without_database else None
                    if caller is None:
                        raise
            exchange.caller = caller
            left = self._context.rates.take(caller.rate_name)
            exchange.headers.update(left.headers)
            if not left.allowed:
                raise Problem(
                    "too-many-requests",
                    f"{left.limit} requests a minute are allowed; try again in {left.wait_seconds} s",
                    headers=left.headers,
                )
            self._check_role(caller, declared)
            if scope["method"] in UNSAFE and caller.via is not Via.KEY:
                check_site(headers, by_browser=caller.via is Via.SESSION)
        if declared.changes and self._context.settings.api_read_only:
            raise Problem("read-only", "this API is read only: API_READ_ONLY is set")
        if declared.gives:
            chosen(headers.get("accept", ""), declared.gives)
        check_query(scope.get("query_string", b""), declared.query)

    def _declared(self, scope: Scope) -> Declared:
        """What the request's route declares. One that declares nothing is not called."""
        allowed: set[str] = set()
        for route in self._routes if "\0" not in scope["path"] else ():
            match, _ = route.matches(scope)
            if match is Match.FULL:
                declared = declared_by(route)
                if declared is None:
                    break
                return declared
            if match is Match.PARTIAL:
                allowed |= set(getattr(route, "methods", None) or ())
        if not allowed:
            raise Problem("not-found", f"there is no {scope['path']}; GET /docs lists the routes", no_route=True)
        if "GET" in allowed:
            allowed.add("HEAD")
        shown = ", ".join(sorted(allowed))
        raise Problem(
            "method-not-allowed", f"{scope['method']} is not allowed here; allowed: {shown}", headers={"Allow": shown}
        )

    def _check_role(self, caller: Caller, declared: Declared) -> None:
        role = declared.access.role(public_names=self._context.settings.api_public_names)
        if caller.may(role):
            return
        if caller.role is None:
            raise Problem(
                "no-key",
                "this needs a key: add the header  Authorization: Bearer KEY  (curl -H 'Authorization: Bearer KEY');"
                " an admin makes one with: affirm-worker keys make NAME --role uploader",
                headers={"WWW-Authenticate": "Bearer"},
            )
        raise Problem("not-allowed", f"this needs the role {role}; {caller.name} is {caller.role}", role=str(role))


def check_site(headers: Headers, *, by_browser: bool) -> None:
    """Refuses what a page of another site sent by a browser: keys come along by hand, other logins by themselves.

    Args:
        headers: of a request that changes something.
        by_browser: only browsers have such a login, and they say which page sends what changes something.
    """
    site, origin, host = headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
    if site is not None and site not in (("same-origin",) if by_browser else ("same-origin", "none")):
        raise Problem("cross-site", "a page of another site sent this request")
    if by_browser and site is None and origin is None:
        raise Problem(
            "cross-site", "nothing says that a page of this server sent this request: no Sec-Fetch-Site, no Origin"
        )
    if origin is not None and origin.partition("://")[2].casefold() != host.casefold():
        raise Problem("cross-site", "a page of another site sent this request: its Origin is not this Host")
