"""Routes declare who may call them and how they can say no. A route without that cannot be made.

`Topic` collects the routes of one module. FastAPI's own routers are not used: they nest, and a middleware must find the
route of a request before its body is read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.access import Access
from api.problem_codes import PROBLEMS

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

MIB = 1 << 20

HTML = ("text/html",)
"""What pages give, and nothing else does."""

BODY_LIMIT = MIB
"""Bytes that a body may have, unless its route declares otherwise."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route declares.

    Args:
        access: who may call it.
        problems: the codes that it can answer with, beside those that any route can.
        body_limit: bytes that its body may have; None if it reads the body itself and sees to that.
        changes: it changes something, so that API_READ_ONLY refuses it.
        query: the names of its query parameters.
        gives: the media types of its answers.
        example: the curl command of the documents, without the address.
        path: of the route, as FastAPI writes it.
        without_database: it helps while the database is lost, so sessions that were good a moment ago are enough then.
    """

    access: Access
    problems: tuple[str, ...]
    body_limit: int | None
    changes: bool
    query: tuple[str, ...]
    gives: tuple[str, ...]
    example: str
    path: str
    without_database: bool = False

    @property
    def is_page(self) -> bool:
        """It is for people with a browser."""
        return self.gives == HTML

    @property
    def all_problems(self) -> tuple[str, ...]:
        """Every code that it can answer with."""
        common = ["unknown-parameter", "not-acceptable", "too-many-requests", "internal", "too-large", "too-slow"]
        if self.access is not Access.PUBLIC:
            common += ["no-key", "bad-key", "key-expired", "not-allowed", "cross-site", "database-away", "storage-away"]
        if self.changes:
            common.append("read-only")
        if self.query:
            common.append("field-invalid")
        return tuple(dict.fromkeys([*self.problems, *common]))


@dataclass(frozen=True, slots=True)
class _Route:
    path: str
    method: str
    endpoint: Callable[..., Any]
    access: Access
    problems: tuple[str, ...]
    body_limit: int | None
    changes: bool
    also: tuple[str, ...]
    gives: tuple[str, ...]
    example: str
    options: dict[str, Any]


@dataclass(slots=True)
class Topic:
    """The routes of one topic.

    Args:
        name: the tag in the OpenAPI document.
        about: a sentence about it.
        without_database: see `Declared`.
    """

    name: str
    about: str
    without_database: bool = False
    _routes: list[_Route] = field(default_factory=list)
    _made: list["DeclaredRoute"] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        access: Access,
        *,
        problems: Sequence[str] = (),
        body_limit: int | None = BODY_LIMIT,
        changes: bool | None = None,
        also: Sequence[str] = (),
        gives: Sequence[str] = ("application/json",),
        example: str = "",
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declares a route; the rest goes to `FastAPI.add_api_route`.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: as FastAPI writes it.
            access: who may call it.
            problems: see `Declared`.
            body_limit: see `Declared`.
            changes: see `Declared`; by the method unless it is given.
            also: query parameters that the signature does not have.
            gives: see `Declared`; none takes whatever the client accepts.
            example: see `Declared`.
        """
        if unknown := set(problems) - PROBLEMS.keys():
            raise ValueError(f"{method} {path} declares unknown problems: {', '.join(sorted(unknown))}")
        does = method in UNSAFE if changes is None else changes

        def declare(endpoint: Endpoint) -> Endpoint:
            self._routes.append(
                _Route(
                    path, method, endpoint, access, tuple(problems), body_limit, does, tuple(also), tuple(gives),
                    example, options,
                )
            )  # fmt: skip
            return endpoint

        return declare

    def add_to(self, app: FastAPI) -> None:
        """Adds the routes to an application. They are made once a process, and know nothing of an application."""
        if len(self._made) != len(self._routes):
            self._made = [*map(self._route_of, self._routes)]
        app.router.routes.extend(self._made)

    def _route_of(self, one: _Route) -> "DeclaredRoute":
        options = {"tags": [self.name], **one.options}
        route = DeclaredRoute(one.path, one.endpoint, methods=[one.method], **options)
        query = (*_query(route.dependant), *one.also)
        route.declared = Declared(
            one.access,
            one.problems,
            one.body_limit,
            one.changes,
            query,
            one.gives,
            one.example,
            one.path,
            self.without_database,
        )
        for status, codes in by_status(route.declared.all_problems).items():
            route.responses.setdefault(status, _documented(status, codes))
        return route


class DeclaredRoute(APIRoute):
    """A route of a `Topic`."""

    declared: Declared

    @property
    def method(self) -> str:
        """Its one method."""
        return next(iter(self.methods or {"GET"}))


def declared_by(route: object) -> Declared | None:
    """What a route declares; None for one that was not made by a `Topic`."""
    return getattr(route, "declared", None) if isinstance(route, DeclaredRoute) else None


def by_status(codes: Sequence[str]) -> dict[int, list[str]]:
    """Codes by the statuses that they are answered with."""
    found: dict[int, list[str]] = {}
    for code in codes:
        for status in PROBLEMS[code].statuses:
            found.setdefault(status, []).append(code)
    return dict(sorted(found.items()))


def _documented(status: int, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _query(dependant: Dependant) -> list[str]:
    """The names of a route's query parameters; those of a model one by one."""
    names: list[str] = []
    for one in dependant.query_params:
        fields = getattr(one.field_info.annotation, "model_fields", None)
        if fields is None:
            names.append(one.alias)
        else:
            names += [info.alias or name for name, info in fields.items()]
    return names + [name for other in dependant.dependencies for name in _query(other)]
