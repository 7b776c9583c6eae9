"""The warning about a list whose names have the other sex in the rows that are loaded already."""

from parser_runner.other_sex import NAMES, most_frequent, warning_of


def lines(*names: tuple[str, int]) -> list[str]:
    return [f"2019\t{name}\tF\t{name.lower()}\t{count}\n" for name, count in names]


def test_the_most_frequent_names_are_looked_for() -> None:
    assert most_frequent(lines(("Ada", 5), ("Eva", 90), ("Bo\\\\", 99), ("Ida", 7))) == ["Eva", "Ida", "Ada"]
    assert len(most_frequent(lines(*((f"A{number}", number) for number in range(1, 3 * NAMES))))) == NAMES


def test_a_majority_of_the_other_sex_is_a_warning() -> None:
    known = {f"B{number}": (0, 9) for number in range(9)} | {f"G{number}": (9, 1) for number in range(8)}
    expected = "in other lists of the country 9 of 17 of the most frequent names are mostly those of boys"
    assert expected in str(warning_of("F", known))
    assert warning_of("M", known) is None


def test_few_known_names_and_names_of_both_sexes_are_no_warning() -> None:
    assert warning_of("F", {f"B{number}": (0, 9) for number in range(9)}) is None
    assert warning_of("F", {f"B{number}": (9, 9) for number in range(20)}) is None
    assert warning_of("F", {}) is None
