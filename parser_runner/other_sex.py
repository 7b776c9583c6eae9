"""A list whose names have the other sex in the rows that are loaded already: its file may have a wrong name.

Nothing in a file tells that the files of girls and of boys were swapped, if the sex stands only in their names.
"""

import heapq
from collections.abc import Mapping, Sequence

NAMES = 200
"""The most frequent names of a list that are looked for."""

_FEWEST = 10
"""With fewer known names there is no warning."""

_WORDS = {"F": "girls", "M": "boys"}


def most_frequent(lines: Sequence[str]) -> list[str]:
    """The most frequent names of a list.

    Args:
        lines: as in `SortedRows`. A name with a backslash is passed over.
    """
    greatest = heapq.nlargest(NAMES, lines, key=lambda line: int(line.rsplit("\t", 1)[1]))
    names = (line.split("\t", 2)[1] for line in greatest)
    return list(dict.fromkeys(name for name in names if "\\" not in name))


def warning_of(sex: str, known: Mapping[str, tuple[int, int]]) -> str | None:
    """The warning, if more than half of the known names are mostly those of the other sex.

    Args:
        sex: of the list, F or M.
        known: by the name, the girls and the boys in other lists.
    """
    others = sum(1 for girls, boys in known.values() if (boys > girls if sex == "F" else girls > boys))
    if len(known) < _FEWEST or 2 * others <= len(known):
        return None
    other = _WORDS["M" if sex == "F" else "F"]
    return (
        f"only the file's name or the uploader says that these are {_WORDS[sex]}, but in other lists of the country"
        f" {others} of {len(known)} of the most frequent names are mostly those of {other}"
    )
