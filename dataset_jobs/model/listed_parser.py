"""A format that can be read, as lists of formats show it."""

from typing import NamedTuple


class ListedParser(NamedTuple):
    """A format that can be read.

    Args:
        country: ISO code.
        format: its name.
        package: where it is from; None if it is built in.
        description: what lists it reads.
    """

    country: str
    format: str
    package: str | None
    description: str
