"""The pages of the dashboard, from its routes: whoever looks at all of them looks at new ones too."""

from collections.abc import Mapping

import dashboard
from api.app import bare_app
from api.declared import DeclaredRoute

UNKNOWN: list[str] = []
"""Paths of pages that nobody has said what to show of."""


def page_paths(shown: Mapping[str, str]) -> dict[str, str]:
    """The paths of all pages that one looks at, by their routes'.

    Args:
        shown: what is shown of a page with a parameter, by the first part of its path: of `/jobs/{job_id}` that of
            `jobs`. A page of which nothing is said is left out, and noted in `UNKNOWN`.
    """
    found = dict[str, str]()
    for route in bare_app(dashboard.ALL).routes:
        if not isinstance(route, DeclaredRoute) or route.method != "GET" or not route.declared.is_page:
            continue
        head, brace, tail = route.path.partition("{")
        one = shown.get(head.strip("/").partition("/")[0])
        if not brace:
            found[route.path] = route.path
        elif one is not None:
            found[route.path] = head + one + tail.partition("}")[2]
        elif route.path not in UNKNOWN:
            UNKNOWN.append(route.path)
    return found
