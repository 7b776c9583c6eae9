"""docs/formats.md has every format that can be read, with its country and region."""

import re
from pathlib import Path

from parser_runner.parsers import countries, parsers_of
from parser_runner.parsers.publishers.de_registries import BERLIN_DISTRICTS
from parser_runner.parsers.whose_file import is_shared, regions_of
from tests.unit.publisher_files import FIGURES

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:]] for line in PAGE.splitlines() if re.match(r"\| [A-Z]{2} \|", line)
]

OF_MANY_REGIONS = {
    "us-ssa-state",
    *(parser.name for country in countries() for parser in parsers_of(country) if regions_of(parser)),
}


def test_every_format_has_a_row_under_its_country() -> None:
    listed = {(row[0], name) for row in ROWS for name in re.findall(r"`([a-z0-9-]+)`", row[1])}
    assert listed == {(country, parser.name) for country in countries() for parser in parsers_of(country)}


def test_regions_are_those_that_the_parsers_give() -> None:
    listed = {name: row[4] for row in ROWS for name in re.findall(r"`([a-z0-9-]+)`", row[1])}
    given = {line["format"]: line["region"] for line in FIGURES.values() if line["format"] not in OF_MANY_REGIONS}
    assert {name: listed[name] for name in given} == given


def test_formats_that_need_a_word_are_marked_and_have_it() -> None:
    paragraph = PAGE.partition("**Shared headings** ")[2].partition("\n\n")[0]
    marks = {name: row[5] for row in ROWS for name in re.findall(r"`([a-z0-9-]+)`", row[1])}
    for country in countries():
        for parser in filter(is_shared, parsers_of(country)):
            assert "shared headings" in marks[parser.name], parser.name
            assert f"`{parser.name}`" in paragraph, parser.name


def test_the_readme_counts_publishers_and_countries() -> None:
    """Those whose files are read; Figure.NZ publishes the figures of another one."""
    read = [row for row in ROWS if not row[5].startswith("refused")]
    publishers = {(row[0], re.split(",|;", row[2])[0]) for row in read}
    said = re.search(r"files of (\d+) publishers in (\d+) countries", README)
    assert said is not None
    assert [int(number) for number in said.groups()] == [len(publishers), len({row[0] for row in read})]


def test_every_code_that_is_none_of_isos_is_explained() -> None:
    explained = PAGE.partition("Some codes are none of ISO's")[2]
    assert all(f"`{code}`" in explained for code in ("GB-EAW", "US-TR", "DE-NW-05315", "US-NY-NYC"))


def test_every_region_that_the_uploader_may_name_is_listed_with_its_name() -> None:
    assert all(f"`{code}` {name}" in PAGE for code, name in BERLIN_DISTRICTS.items())
    for country in countries():
        for parser in parsers_of(country):
            regions = regions_of(parser)
            by_rule = len(regions) > 20 and f"{country}-XX" in PAGE
            assert by_rule or all(f"`{code}`" in PAGE for code in regions), parser.name
