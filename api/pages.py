"""Small pages without a script: the operations, and the kinds of problems."""

from html import escape

from fastapi import FastAPI

from api.access import Access
from api.declared import DeclaredRoute
from api.problem_codes import PROBLEMS, Kind

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def _page(title: str, *parts: str) -> str:
    return _PAGE.format(title=escape(title), body="\n".join(parts))


def operations_page(app: FastAPI, address: str) -> str:
    """Every operation, with its parameters, problems and a curl line.

    Args:
        app: with all its routes.
        address: of the API, as the client sees it.
    """
    routes = [route for route in app.routes if isinstance(route, DeclaredRoute) and route.include_in_schema]
    return _page(
        app.title,
        f"<p>{escape(app.description)} <a href='/v1/openapi.json'>OpenAPI document</a></p>",
        *(_operation(route, address) for route in routes),
    )


def _operation(route: DeclaredRoute, address: str) -> str:
    method, declared = route.method, route.declared
    query = f"<p>parameters: {escape(', '.join(declared.query))}</p>" if declared.query else ""
    problems = ", ".join(f"<a href='/problems/{code}'>{code}</a>" for code in declared.problems)
    return "\n".join(
        [
            f"<h2>{method} {escape(route.path)}</h2>",
            f"<p>{escape(route.description)} For: {escape(str(declared.access))}.</p>",
            query,
            f"<p>problems: {problems}</p>" if problems else "",
            f"<pre>{escape(curl_line(route, address))}</pre>",
        ]
    )


def curl_line(route: DeclaredRoute, address: str) -> str:
    """The command that calls a route, with `$KEY` for the key."""
    method, declared = route.method, route.declared
    key = "" if declared.access is Access.PUBLIC else ' -H "Authorization: Bearer $KEY"'
    way = "" if method == "GET" else f" -X {method}"
    path, _, rest = (declared.example or route.path).partition(" ")
    return f"curl{way}{key}{' ' + rest if rest else ''} '{address}{path}'"


def problem_page(code: str, kind: Kind) -> str:
    """What happened, what to do, and an example."""
    others = " ".join(f"<a href='/problems/{one}'>{one}</a>" for one in PROBLEMS)
    return _page(
        f"{code}: {kind.title}",
        f"<p>Status {', '.join(map(str, kind.statuses))}</p>",
        f"<h2>What happened</h2><p>{escape(kind.happened)}</p>",
        f"<h2>What to do</h2><p>{escape(kind.to_do)}</p>",
        f"<h2>Example</h2><pre>{escape(kind.example)}</pre>",
        f"<p>All: {others}</p>",
    )
