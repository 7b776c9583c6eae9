"""The rights that a controller needs in its namespace. The chart's Role grants these and no others."""

from typing import NamedTuple


class Right(NamedTuple):
    """Verbs on a resource.

    Args:
        group: API group; empty for the core.
        resource: in the plural, with a subresource behind a slash.
        verbs: of RBAC.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]


RIGHTS = (
    Right("batch", "jobs", ("create", "delete", "get", "list", "patch", "watch")),
    Right("", "pods", ("list", "watch")),
    Right("", "events", ("create", "list")),
    Right("affirm.dev", "parserpools", ("list", "watch")),
    Right("affirm.dev", "parserpools/status", ("patch",)),
)

MAKES_POOL = Right("affirm.dev", "parserpools", ("create",))
"""With POOL_MAKE_PARSER_POOL alone. The controller goes on without it."""
