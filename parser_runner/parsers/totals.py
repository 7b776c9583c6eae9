"""Totals and aggregates among the names, in the publishers' languages: left out and counted, in every format.

A name is never lost by this. Words that stand in no list of names mean what they say; if one of them is a total, its
count is at least the greatest of its list, or the file is refused. Words that are names too (Suma, All, Other) are
totals only if their count is at least the sum of all others of their list.

In words that are not here, or in other languages, a total shows by its count: it is the sum of all others of a list of
ten, or more than that of a list of two hundred, where small counts are suppressed. Such a list is refused.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.places import InMember, Place
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value, label_of

if TYPE_CHECKING:
    from parser_runner.parsers.contract import Row

TOTALS = "totals"
REST = "aggregates of other names"

_TOTALS = (
    "total|totals|grand total|sub total|subtotal|total general|total births|total names|all names|gesamt|gesamtsumme|"
    "gesamtergebnis|insgesamt|summe|ensemble|totaux|totale|totaal|totalt|ialt|i alt|yhteensä|kaikki yhteensä|razem|"
    "ogółem|skupaj|összesen|mindösszesen|celkem|ukupno|toplam|total geral|alle namen|alle vornamen|tous les prénoms|"
    "tutti i nomi|todos los nombres|todos os nomes|alla namn|alle navn|alle navne|kaikki nimet"
)
_REST = (
    "others|other names|all others|all other names|sonstige|sonstiges|sonstige namen|übrige|übrige namen|andere namen|"
    "autres|autres prénoms|les autres|altri|altri nomi|otros|otros nombres|outros|outros nomes|övriga|övriga namn|"
    "øvrige|øvrige navne|andre navne|andre navn|muut|muut nimet|overige|overige namen|pozostałe|ostala imena|egyéb"
)
_NAMES_TOO = "sum|suma|summa|all|alle|other|andere|andre|andra|annan|annet"
"""Words of the same meaning that are names of people, too."""
_COMMON_NAMES = frozenset(("andre", "andra", "annan", "annet"))
"""Of these: such a name may be the most frequent of a list."""

_REASONS = {
    **dict.fromkeys(_TOTALS.split("|"), TOTALS),
    **dict.fromkeys(_REST.split("|"), REST),
}
_DOUBTFUL = dict.fromkeys(_NAMES_TOO.split("|"), TOTALS)

_MARKS = " :.*"
"""May follow a word."""

_AS_WRITTEN = frozenset(
    form + mark
    for word in (*_REASONS, *_DOUBTFUL)
    for form in (word, word.upper(), word.capitalize(), word.title())
    for mark in ("", ":", ".", "*", " *")
)
"""For a quick look at many names."""

_BATCH = 2048
_NAME = itemgetter(2)
_COUNT = itemgetter(3)
_FEW = 3
"""With fewer other names in a list, a name may well have more children than all others."""
_MANY = 10
"""With so many names in a list, a count that is exactly the sum of all others is their total."""
_VERY_MANY = 200
"""With so many, no name has more children than all others. In a list of fewer, such as a cut one, one may."""


def total_reason(cell: Value) -> str | None:
    """Why a record with this text is left out: a total or an aggregate, and never a name. None if it may be a name."""
    return _REASONS.get(_word(label_of(cell)))


def may_be_a_total(name: str) -> bool:
    """Whether a name is such a word, also one that is a name too."""
    word = _word(name)
    return word in _REASONS or word in _DOUBTFUL


def _word(text: str) -> str:
    return text.casefold().rstrip(_MARKS)


@dataclass(slots=True)
class _Names:
    """What is known of the names of one year and sex."""

    rows: int = 0
    total: int = 0
    greatest: int = 0
    place: Place | None = None
    """Of the greatest."""


def without_totals(source: Source, rows: Iterable["Row"], again: Callable[[], Iterable["Row"]]) -> Iterator["Row"]:
    """Passes rows on, and holds those back that may be totals, until all others are known.

    Args:
        source: gets the records left out, and the problems.
        rows: of one file.
        again: the same rows once more, for a file that has such a row.

    Raises:
        Rejected: as `rows` does.
    """
    held: list[Row] = []
    first: dict[tuple[int, str], Row] = {}
    towering = False
    unread = iter(rows)
    while True:
        batch: list[Row] = []
        try:
            batch.extend(islice(unread, _BATCH))
        except Rejected:
            yield from batch
            raise
        if not batch:
            break
        counts = [*map(_COUNT, batch)]
        towering = towering or max(counts) * 4 >= sum(counts)
        first.setdefault((batch[0].year, batch[0].gender), batch[0])
        if _AS_WRITTEN.isdisjoint(map(_NAME, batch)):
            yield from batch
            continue
        for row in batch:
            if row[2] in _AS_WRITTEN and _may_be_one(row, chain(first.values(), batch)):
                held.append(row)
            else:
                yield row
    if not (held or towering):
        return
    groups = _names_of(source, again)
    for names in groups.values():
        _check_greatest(source, names)
    for row in held:
        yield from _judged(source, row, groups.get((row.year, row.gender), _Names()))


def _may_be_one(row: "Row", others: Iterable["Row"]) -> bool:
    """Whether a row with such a word may be a total or an aggregate. A name too is no total if another one has more."""
    if _word(row.name) in _REASONS:
        return True
    return not any(other.count > row.count and other[:2] == row[:2] and other[2] not in _AS_WRITTEN for other in others)


def _names_of(source: Source, again: Callable[[], Iterable["Row"]]) -> dict[tuple[int, str], _Names]:
    """The names without such words, by year and sex. Nothing is noted or counted a second time."""
    groups: dict[tuple[int, str], _Names] = {}
    findings = source.findings
    source.rewind()
    source.findings = Findings(source.filename)
    try:
        for row in again():
            if row[2] in _AS_WRITTEN:
                continue
            group = groups.setdefault((row.year, row.gender), _Names())
            group.rows += 1
            group.total += row.count
            if row.count > group.greatest:
                group.greatest, group.place = row.count, row.place
    finally:
        source.findings = findings
    return groups


def _check_greatest(source: Source, names: _Names) -> None:
    """Notes a problem if the greatest count of a list is a total, in whatever words."""
    place = names.place
    others = names.total - names.greatest
    is_total = names.greatest == others or (names.rows > _VERY_MANY and names.greatest > others)
    if names.rows > _MANY and is_total and not isinstance(place, InMember):
        what = "this count is as great as all others of its year and sex together: if it is a total, delete it"
        source.problem(what, place)


def _judged(source: Source, row: "Row", others: _Names) -> Iterator["Row"]:
    """The row if it is a name; else it is counted as left out, or noted as a problem."""
    word = _word(row.name)
    place = row.place
    assert not isinstance(place, InMember)
    reason = _REASONS.get(word)
    if reason is None:
        many = others.rows >= _FEW
        if many and row.count >= others.total:
            reason = _DOUBTFUL[word]
        elif many and row.count > others.greatest and word not in _COMMON_NAMES:
            source.problem(
                "this may be a name or an aggregate: its count is greater than that of any other name", place
            )
            return
    elif reason == TOTALS and row.count < others.greatest:
        source.problem("this is the word for a total, but its count is less than that of a name", place)
        return
    if reason is None:
        yield row
    else:
        source.skip(reason, 1, place, row.count)
