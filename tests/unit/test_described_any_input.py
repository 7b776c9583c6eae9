"""Any description with any file: rows that can be loaded, or a refusal that quotes no name."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import InvalidDescription
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers import parse_whole
from parser_runner.parsers.descriptions.suggest import NothingToSuggest, suggest
from parser_runner.parsers.testkit import check_input, check_rows, mutated
from tests.unit.described_samples import DESCRIBED_PARSERS, DESCRIBED_SAMPLES
from tests.unit.parsing import source
from tests.unit.workbooks import Rows, Value, xlsx

NAMES = ("Adelheid", "Bertrand", "Clementine", "Dagobert")
LONG = "Year,Name,Sex,Count,Town\n" + "".join(
    f"20{year},{name},{'FM'[index % 2]},{9 - index},Here\n" for year in (19, 20) for index, name in enumerate(NAMES)
)
WIDE = "Name,Sex,2019,2020\n" + "".join(f"{name},F,{9 - index},..\n" for index, name in enumerate(NAMES))
BLOCKS = "Girls,Count,Boys,Count\nAdelheid,9,Bertrand,8\nClementine,7,Dagobert,6\n"
BARE = "".join(f"{name},{'FM'[index % 2]},{9 - index}\n" for index, name in enumerate(NAMES))
LINES_OF_A: list[list[Value]] = [[name, 5, 4] for name in NAMES]
SHEET: Rows = [["Name", "Count", 2020], *LINES_OF_A]
BOOK = xlsx({"Notes": [["About"]], "A": SHEET})
CONTENTS = [LONG.encode(), WIDE.encode(), BLOCKS.encode(), BARE.encode(), BOOK, LONG.encode("utf-16")]

COLUMNS = st.sampled_from(
    ["Name", "Count", "Year", "Sex", "Town", "Girls", "Boys", "'{year}'", "2019", "#1", "#2", "#3", "#9"]
)
MEANINGS = st.sampled_from(["", "(F=F M=M)", "(..=-)", "(Here=-)", "(M=F F=M)", "(''=-)"])
COLUMN = st.builds(
    lambda key, heading, meaning: f"{key}={heading}{meaning}",
    st.sampled_from(["name", "count", "year", "sex", "sum_over"]), COLUMNS, MEANINGS,
)  # fmt: skip
REST = st.sampled_from(
    [
        "file_year=2020", "file_year=filename", "file_year=title", "file_sex=F", "file_sex=filename", "heading_row=1",
        "heading_row=3", "separator=tab", "separator=comma", "charset=cp1252", "top=2", "smallest=8", "sheet=A",
        "sheet=A(sex=M)", "block=F(name=Girls count=Count)", "block=M(name=Boys count=Count)", "ignore_titles=yes",
        "block=F(name=#1 count=#2 year=2020)", "region=CH-ZH", "format=x",
    ]
)  # fmt: skip
LIKELY = st.sampled_from(
    [
        "year=Year name=Name sex=Sex count=Count",
        "name=Name sex=Sex(F=F M=M) count={year}(..=-)",
        "block=F(name=Girls count=Count) block=M(name=Boys count=Count) file_year=2020",
        "name=#1 sex=#2 count=#3 file_year=2020",
        "name=Name count=Count file_sex=F file_year=2020",
    ]
)  # fmt: skip
LINES = st.one_of(LIKELY, st.lists(COLUMN | REST, max_size=6).map(" ".join))


def described(line: str) -> str | None:
    try:
        return Description.from_columns(f"measure=births {line}").as_json()
    except InvalidDescription:
        return None


@given(LINES, st.sampled_from(CONTENTS), st.randoms(use_true_random=False), st.booleans())
@settings(deadline=None, max_examples=300)
def test_any_description_with_any_file(line: str, content: bytes, chance: random.Random, change: bool) -> None:
    description = described(line)
    if description is None:
        return
    data = mutated(content, chance) if change else content
    file = source(data, "girls2020.csv", hints=FileHints(description=description))
    try:
        check_rows(parse_whole(file, "CH").rows)
    except Rejected as error:
        said = "\n".join([str(error), *map(str, error.problems)])
        assert not [name for name in NAMES if name in said], said


@given(st.sampled_from(CONTENTS), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_a_suggestion_for_any_file(content: bytes, chance: random.Random) -> None:
    file = source(mutated(content, chance), "names.csv")
    try:
        found = suggest(file, "CH")
    except (NothingToSuggest, Rejected):
        return
    finally:
        file.close()
    said = found.description
    assert Description.from_toml(found.as_toml()) == said
    assert Description.from_columns(said.as_columns()) == said


def rows(content: str, line: str) -> list[tuple[int, str, str, int]]:
    hints = FileHints(description=described(line))
    return sorted(row[:4] for row in parse_whole(source(content, "x.csv", hints=hints), "CH").rows)


@given(st.permutations(range(5)), st.sampled_from([",", ";", "\t", "|"]))
def test_order_of_columns_and_separator_do_not_matter(order: list[int], separator: str) -> None:
    line = "year=Year name=Name sex=Sex count=Count"
    fields = [text.split(",") for text in LONG.splitlines()]
    content = "\n".join(separator.join(one[column] for column in order) for one in fields)
    assert rows(content, line) == rows(LONG, line)


@pytest.mark.parametrize("dropped", ["Year", "Name", "Sex", "Count"])
def test_a_dropped_column_refuses(dropped: str) -> None:
    fields = [text.split(",") for text in LONG.splitlines()]
    at = fields[0].index(dropped)
    content = "\n".join(",".join([*one[:at], *one[at + 1 :]]) for one in fields)
    with pytest.raises(Rejected, match=f"no heading '{dropped}'"):
        rows(content, "year=Year name=Name sex=Sex count=Count")


def test_a_file_appended_to_itself_refuses() -> None:
    with pytest.raises(Rejected):
        rows(LONG + LONG, "year=Year name=Name sex=Sex count=Count")
    with pytest.raises(Rejected):
        rows(LONG + LONG.partition("\n")[2], "year=Year name=Name sex=Sex count=Count")


@pytest.mark.parametrize("name", DESCRIBED_SAMPLES)
def test_the_samples_that_are_fuzzed_are_read(name: str) -> None:
    sample = DESCRIBED_SAMPLES[name]
    assert check_input(DESCRIBED_PARSERS[name], source(sample.content, sample.name, hints=sample.hints))
