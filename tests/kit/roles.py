"""Sessions in the role that a part of an installation has."""


def as_role(database: str, role: str) -> str:
    """The URI of `database` for a session in that role."""
    return f"{database}?options=-c%20role%3D{role}"
