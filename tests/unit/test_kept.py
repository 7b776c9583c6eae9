"""Values that are kept for some seconds."""

from itertools import count

from api.kept import Kept


def test_it_is_made_once_for_so_many_seconds() -> None:
    now, numbers = [0.0], count(1)
    kept = Kept[int](5, lambda: now[0])
    got = []
    for now[0] in (0, 4, 6, 10, 12):
        got.append(kept.get(lambda: next(numbers))[0])
    assert got == [1, 1, 2, 2, 3]


def test_it_is_made_anew_when_it_was_forgotten() -> None:
    numbers = count(1)
    kept = Kept[int](5, lambda: 0.0)
    assert kept.get(lambda: next(numbers))[0] == 1
    kept.forget()
    assert kept.get(lambda: next(numbers))[0] == 2
