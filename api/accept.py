"""Which form of an answer a client wants, by the header Accept. The gate asks, and so do routes with several forms."""

from collections.abc import Sequence

from api.problems import Problem


def chosen(accept: str, kinds: Sequence[str]) -> str:
    """The media type that the client likes best; the first one if it does not say.

    Args:
        accept: the header, empty if there is none.
        kinds: what there is, the best first.

    Raises:
        Problem: it wants none of them.
    """
    given = accept.strip() or "*/*"
    liked = {kind: _quality(kind, given) for kind in kinds}
    best = max(kinds, key=lambda kind: liked[kind])
    if liked[best] <= 0:
        raise Problem("not-acceptable", f"there is {' and '.join(kinds)}, and Accept asks for none of them")
    return best


def _quality(kind: str, given: str) -> float:
    """How much a client likes a media type: the most specific range that names it counts."""
    found = (-1, 0.0)
    for one in given.split(","):
        name, *parameters = [part.strip().casefold() for part in one.split(";")]
        ranks = {"*/*": 0, f"{kind.partition('/')[0]}/*": 1, kind: 2}
        if name in ranks:
            found = max(found, (ranks[name], _weight(parameters)))
    return found[1]


def _weight(parameters: Sequence[str]) -> float:
    for one in parameters:
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
