"""Names that somebody may have mistyped: variables of the environment, keys and contexts of the config file."""

from collections.abc import Collection, Iterable, Iterator

_SHORTEST = 10
"""Letters of a setting's name, for a variable to count as a near miss of it: NAMESPACE is like many other names."""

_LONG = 14
"""From so many letters on, two of them may be wrong."""

_LEFT_OUT = ("MAX_", "S3_")
"""Words that people forget, as in STORAGE_BUCKET."""

_FAR = 99

_OF_THE_CHART = {"WORKER_UID"}
"""Nobody types them, and other programs have similar ones."""


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; None if none is like it."""
    by_distance = sorted((distance(given.casefold(), name.casefold()), name) for name in known)
    if by_distance and by_distance[0][0] <= max(1, min(3, len(given) // 3)):
        return by_distance[0][1]
    return None


def mistyped(variables: Iterable[str], settings: Collection[str], unset: Collection[str]) -> Iterator[tuple[str, str]]:
    """The variables whose names are nearly those of settings that nobody has set.

    Other programs have variables too: a name that differs in more than a letter or two, or is like a short one,
    is theirs.

    Args:
        variables: names in the environment.
        settings: the names of all settings, in upper case.
        unset: those of them that are not in the environment.

    Yields:
        The variable, and the setting that was probably meant.
    """
    candidates = [name for name in unset if len(name) >= _SHORTEST and name not in _OF_THE_CHART]
    for variable in sorted(variables):
        upper = variable.upper()
        if upper not in settings:
            near = min(((_misses(upper, name), name) for name in candidates), default=None)
            if near is not None and near[0] < _FAR:
                yield variable, near[1]


def _misses(variable: str, name: str) -> int:
    """How many letters are wrong; `_FAR` if it is another name."""
    spellings = {name, *(name.replace(word, "", 1) for word in _LEFT_OUT)}
    least = _FAR
    for spelling in spellings:
        most = 2 if len(spelling) >= _LONG else 1
        # Most are ruled out by their letters alone: each mistake concerns two of them at most.
        if abs(len(variable) - len(spelling)) <= most and len({*variable} ^ {*spelling}) <= 2 * most:
            wrong = distance(variable, spelling)
            least = min(least, wrong) if wrong <= most else least
    return least


def distance(one: str, other: str) -> int:
    """How many letters were added, left out, changed or swapped with the next one (optimal string alignment)."""
    before: list[int] = []
    last: list[int] = [*range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        row: list[int] = [i]
        for j, expected in enumerate(other, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (letter != expected))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == expected:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
