"""Lists that no parser covers, read by their columns."""

from pathlib import Path

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.description import Description
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers.descriptions.described import Described
from parser_runner.parsers.report import report
from parser_runner.parsers.testkit import check_parser
from tests.unit.parsing import Content, opened, refusal, reported, rows, source, zipped
from tests.unit.sample_contents import INSEE
from tests.unit.workbooks import xlsx

LONG = "jahr;vorname;geschlecht;Anzahl\n2019;Ada;weiblich;5\n2019;Bo;männlich;4\n2020;Ada;weiblich;6\n"
LINE = "year=jahr name=vorname sex=geschlecht(weiblich=F männlich=M) count=Anzahl"
WIDE = "Female names,,,\n,,,\nFirst name,Number 2019,Number 2020,Rank 2019\nAda,5,6,1\nBea,-,7,-\n"
WIDE_LINE = "name='First name' count='Number {year}'(-=-) file_sex=F"
SIDE_BY_SIDE = "Rank,Name,Count,Rank,Name,Count\n1,Ada,9,1,Bo,8\n2,Bea,7,2,Carl,6\n3,Cleo,5,,,\n"
BLOCKS = "block=F(name=Name count=Count) block=M(name=Name count=Count) file_year=2020"
ALL = [(2019, "F", "Ada", 5), (2019, "M", "Bo", 4), (2020, "F", "Ada", 6)]


def hints(line: str, year: int | None = None, sex: str | None = None, region: str | None = None) -> FileHints:
    description = Description.from_columns(f"measure=births {line}").as_json()
    return FileHints(year=year, sex=sex, region=region, description=description)


def read(
    content: Content, line: str, name: str = "names.csv", **said: int | str | None
) -> list[tuple[int, str, str, int]]:
    return rows(content, name, "CH", hints=hints(line, **said))  # type: ignore[arg-type]


def refused(content: Content, line: str, name: str = "names.csv", **said: int | str | None) -> Rejected:
    return refusal(content, name, "CH", hints=hints(line, **said))  # type: ignore[arg-type]


def test_a_long_list() -> None:
    assert read(LONG, LINE) == ALL
    parsed = opened(LONG, "names.csv", "CH", hints=hints(f"{LINE} region=CH-ZH top=100 format=zurich"))
    assert (parsed.parser, parsed.measure, parsed.region, parsed.top) == ("ch-described-zurich", "births", "CH-ZH", 100)


@pytest.mark.parametrize("separator", [",", "\t", "|"])
def test_the_separator_is_found(separator: str) -> None:
    assert read(LONG.replace(";", separator), LINE) == ALL


def test_columns_are_found_in_any_order_and_others_are_passed_over() -> None:
    lines = ["Rang,Anzahl,Vorname,Kanton,Jahr,Geschlecht", "1,5,Ada,ZH,2019,weiblich"]
    assert read("\n".join(lines), LINE) == ALL[:1]


def test_a_charset_is_given_and_never_guessed() -> None:
    content = LONG.encode("cp1252")
    assert read(content, f"{LINE} charset=cp1252") == ALL
    assert "is not UTF-8" in str(refused(content, LINE))


def test_headings_that_are_not_in_utf_8_need_a_charset() -> None:
    content = LONG.replace("vorname", "prénom").encode("cp1252")
    line = LINE.replace("vorname", "prénom")
    assert read(content, f"{line} charset=cp1252") == ALL
    assert "the headings there are" in str(refused(content, line))


def test_a_list_without_headings_has_its_columns_by_number() -> None:
    content = "2019,F,Ada,5\n2019,M,Bo,4\n"
    line = "year=#1 sex=#2 name=#3 count=#4"
    assert read(content, line) == [(2019, "F", "Ada", 5), (2019, "M", "Bo", 4)]
    assert "no columns by these numbers" in str(refused("a,b,c,d\n" + content, line))
    assert read("a,b,c,d\n" + content, f"{line} heading_row=1") == [(2019, "F", "Ada", 5), (2019, "M", "Bo", 4)]


def test_a_wide_list_has_years_as_columns() -> None:
    expected = [(2019, "F", "Ada", 5), (2020, "F", "Ada", 6), (2020, "F", "Bea", 7)]
    assert read(WIDE, WIDE_LINE) == expected
    found = reported(WIDE, "names.csv", "CH", hints=hints(WIDE_LINE))
    assert found.left_out == {"suppressed counts (-)": 1}
    plain = WIDE.replace("Number ", "").replace("Rank 2019", "Rank")
    assert read(plain, "name='First name' count={year}(-=-) file_sex=F") == expected


def test_a_wide_list_may_have_a_column_of_sexes() -> None:
    content = "Navn,Kjønn,2019,2020\nAda,J,5,6\nBo,G,4,0\nNoen,?,1,1\nAlle,J,9,9\n"
    line = "name=Navn(Alle=-) sex=Kjønn(J=F G=M ?=-) count={year}"
    assert read(content, line) == [(2019, "F", "Ada", 5), (2020, "F", "Ada", 6), (2019, "M", "Bo", 4)]


def test_a_year_twice_over_columns_is_refused() -> None:
    assert "or a year twice" in str(refused(WIDE.replace("Rank 2019", "Number 2019"), WIDE_LINE))


def test_blocks_with_the_same_headings_stand_from_left_to_right() -> None:
    expected = [("F", "Ada", 9), ("M", "Bo", 8), ("F", "Bea", 7), ("M", "Carl", 6), ("F", "Cleo", 5)]
    assert [row[1:] for row in read(SIDE_BY_SIDE, BLOCKS)] == expected
    by_number = "block=F(name=#2 count=#3) block=M(name=#5 count=#6) file_year=2020 heading_row=1"
    assert [row[1:] for row in read(SIDE_BY_SIDE, by_number)] == expected


def test_blocks_may_be_of_different_years() -> None:
    content = "2019 Name,Babies,2020 Name,Babies\nAda,9,Ada,8\nBea,7,,\n"
    line = "block=(year=2019 name='2019 Name' count=Babies) block=(year=2020 name='2020 Name' count=Babies) file_sex=F"
    assert read(content, line) == [(2019, "F", "Ada", 9), (2020, "F", "Ada", 8), (2019, "F", "Bea", 7)]


def test_blocks_without_headings() -> None:
    line = "block=F(name=#1 count=#2) block=M(name=#3 count=#4) file_year=2020"
    assert read("Ada,9,Bo,8\nBea,7,Carl,6\n", line)[:2] == [(2020, "F", "Ada", 9), (2020, "M", "Bo", 8)]


def test_a_sheet_of_a_workbook_is_chosen_by_name_or_by_its_headings() -> None:
    book = xlsx({"Notes": [["x"]], "Top": [["Name", "Count"], ["Ada", 9]], "All": [["Name", "Count"], ["Bea", 7]]})
    line = "name=Name count=Count file_sex=F file_year=2020"
    assert read(book, line, "names.xlsx") == [(2020, "F", "Ada", 9)]
    assert read(book, f"{line} sheet=All", "names.xlsx") == [(2020, "F", "Bea", 7)]
    error = str(refused(book, f"{line} sheet=Alle", "names.xlsx"))
    assert error.endswith("no sheet 'Alle': the visible sheets are 'All', 'Notes', 'Top'")
    assert "this is no workbook" in str(refused("Name,Count\nAda,9\n", f"{line} sheet=All"))


def test_several_sheets_each_say_what_they_are_about() -> None:
    book = xlsx({"Girls": [["Name", "Count"], ["Ada", 9]], "Boys": [["Name", "Count"], ["Bo", 8]]})
    line = "name=Name count=Count sheet=Girls(sex=F) sheet=Boys(sex=M) file_year=2020"
    assert read(book, line, "names.xlsx") == [(2020, "F", "Ada", 9), (2020, "M", "Bo", 8)]
    swapped = line.replace("sex=F", "sex=X").replace("sex=M", "sex=F").replace("sex=X", "sex=M")
    assert "the description says boys, but the file's content says girls" in str(refused(book, swapped, "names.xlsx"))


def test_members_of_an_archive_are_read_alike() -> None:
    archive = zipped({"girls 2020.csv": "Name,Count\nAda,9\n", "boys 2020.csv": "Name,Count\nBo,8\n"})
    line = "name=Name count=Count file_year=filename file_sex=filename"
    assert read(archive, line, "names.zip") == [(2020, "F", "Ada", 9), (2020, "M", "Bo", 8)]


@pytest.mark.parametrize(
    ("line", "name", "said", "reason", "expected"),
    [
        ("", "names.csv", {}, Reason.INVALID_FILENAME, "nothing says the year"),
        ("", "names.csv", {"year": 2020}, Reason.INVALID_FILENAME, "nothing says the sex"),
        ("", "girls2020.csv", {}, Reason.INVALID_FILENAME, "nothing says the year"),
        ("file_year=filename file_sex=F", "names.csv", {}, Reason.INVALID_FILENAME, "nothing says the year"),
        ("file_year=2019 file_sex=F", "names2020.csv", {}, Reason.CONTRADICTORY, "the file's name says 2020"),
        ("file_year=2020 file_sex=M", "girls.csv", {}, Reason.CONTRADICTORY, "the file's name says girls"),
        ("file_year=2020 file_sex=M", "x.csv", {"sex": "F"}, Reason.CONTRADICTORY, "the sex was given as girls"),
        ("file_year=2020 file_sex=F", "x.csv", {"year": 2019}, Reason.CONTRADICTORY, "the year was given as 2019"),
        ("file_year=title file_sex=F", "x.csv", {}, Reason.INVALID_FILENAME, "nothing says the year"),
    ],
)
def test_year_and_sex_of_the_file_must_be_said(
    line: str, name: str, said: dict[str, int | str | None], reason: Reason, expected: str
) -> None:
    error = refused("Name,Count\nAda,9\n", f"name=Name count=Count {line}", name, **said)
    assert error.reason is reason
    assert expected in str(error)


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ("file_year=2020 file_sex=F", "names.csv", {}),
        ("file_year=filename file_sex=filename", "girls2020.csv", {}),
        ("", "names.csv", {"year": 2020, "sex": "F"}),
        ("file_year=filename", "lost.csv", {"year": 2020, "sex": "F"}),
        ("file_year=2020 file_sex=F ignore_titles=yes", "boys2019.csv", {}),
    ],
)
def test_year_and_sex_of_the_file(line: str, name: str, said: dict[str, int | str | None]) -> None:
    assert read("Name,Count\nAda,9\n", f"name=Name count=Count {line}", name, **said) == [(2020, "F", "Ada", 9)]


def test_titles_speak_against_the_description_or_for_it() -> None:
    content = "Boys' names 2020,\nName,Count\nBo,9\n"
    line = "name=Name count=Count"
    assert read(content, f"{line} file_year=title file_sex=title") == [(2020, "M", "Bo", 9)]
    assert "the file's content says 2020" in str(refused(content, f"{line} file_year=2019 file_sex=M"))
    assert "the file's content says boys" in str(refused(content, f"{line} file_year=2020", sex="F"))
    assert read(content, f"{line} file_year=2019 file_sex=F ignore_titles=yes") == [(2019, "F", "Bo", 9)]


@pytest.mark.parametrize(("left_out", "key"), [("jahr", "year"), ("geschlecht", "sex")])
def test_a_column_that_the_description_leaves_out_is_named(left_out: str, key: str) -> None:
    line = " ".join(item for item in LINE.replace("(weiblich=F männlich=M)", "").split() if left_out not in item)
    error = str(refused(LONG, line, year=2019 if key == "year" else None, sex="F" if key == "sex" else None))
    assert (
        f"line 1: there is a column '{left_out}', which the description does not have: expected {key}=HEADING" in error
    )


def test_hints_must_not_contradict_the_columns() -> None:
    assert "the year was given as 2019" in str(refused(LONG, LINE, year=2019))
    assert "this format has both" in str(refused(LONG, LINE, sex="F"))


def test_a_region_is_of_the_country_and_said_once() -> None:
    assert opened(LONG, "names.csv", "CH", hints=hints(LINE, region="CH-ZH")).region == "CH-ZH"
    assert "the region is DE-BE" in str(refused(LONG, LINE, region="DE-BE"))
    assert "the region was given as CH-BE" in str(refused(LONG, f"{LINE} region=CH-ZH", region="CH-BE"))


def test_a_heading_that_is_not_there_shows_those_that_are() -> None:
    error = str(refused(LONG, LINE.replace("Anzahl", "Anzal")))
    assert error == (
        "names.csv, line 1: no heading 'Anzal' for count: did you mean 'Anzahl'? "
        "the headings there are 'Anzahl', 'jahr', 'vorname', 'geschlecht'"
    )
    none_fits = str(refused(LONG, "year=ano name=nombre sex=sexo count=frecuencia"))
    assert "line 1: no headings 'nombre' for name, 'frecuencia' for count, 'ano' for year, 'sexo' for sex:" in none_fits


def test_a_heading_that_stands_there_twice_needs_its_number() -> None:
    error = str(refused(LONG.replace("jahr", "Anzahl"), LINE.replace("year=jahr ", ""), year=2019))
    assert "the heading 'Anzahl' for count stands there 2 times, expected 1: give the number of the column" in error


def test_names_are_never_quoted_as_headings() -> None:
    error = str(refused("Adelheid;5\nBertha;4\n", "name=vorname count=Anzahl file_year=2020 file_sex=F"))
    assert "Adelheid" not in error
    assert "no record with the headings 'vorname', 'Anzahl' in the first 15 records" in error


def test_a_sex_that_is_not_described_has_its_line_and_is_not_quoted() -> None:
    error = str(refused(LONG, LINE.replace("männlich", "m")))
    assert error == "names.csv, line 3: expected weiblich or m as the sex, found a text of 8 characters"
    assert "found a number" in str(refused(LONG.replace("männlich", "1"), LINE))
    assert "found an empty cell" in str(refused(LONG.replace("männlich", ""), LINE))
    assert "expected F or M as the sex" in str(refused(LONG, LINE.replace("(weiblich=F männlich=M)", "")))


def test_what_is_left_out_is_counted() -> None:
    content = LONG + "2020;Gesamt;weiblich;6\n2020;Cleo;weiblich;..\n2020;Dia;divers;5\nXXXX;Eva;weiblich;5\n"
    line = "year=jahr(XXXX=-) name=vorname(Gesamt=-) sex=geschlecht(weiblich=F männlich=M divers=-) count=Anzahl(..=-)"
    assert read(content, line) == ALL
    assert reported(content, "names.csv", "CH", hints=hints(line)).left_out == {
        "neither sex (divers)": 1,
        "no names (Gesamt)": 1,
        "no year (XXXX)": 1,
        "suppressed counts (..)": 1,
    }
    assert "line 6: expected a whole number" in str(refused(content, line.replace("(..=-)", "")))


def test_a_count_below_the_smallest_is_refused() -> None:
    assert read(LONG, f"{LINE} smallest=4") == ALL
    error = str(refused(LONG, f"{LINE} smallest=5"))
    assert error == "names.csv, line 3: the count is below 5, the smallest by the description"


def test_a_description_that_matches_no_rows_is_refused() -> None:
    content = "jahr;vorname;geschlecht;Anzahl\n2019;Ada;weiblich;-\n"
    error = str(refused(content, LINE.replace("count=Anzahl", "count=Anzahl(-=-)")))
    assert error == "names.csv: the description matches no rows: 1 records and figures were left out"


def test_the_same_name_twice_is_refused() -> None:
    assert "line 5: the same name and sex as in line 2" in str(refused(LONG + "2019;Ada;weiblich;1\n", LINE))


def test_records_are_summed_over_a_column_that_is_part_of_the_key() -> None:
    content = "Year,Name,Sex,Count,County\n2019,Ada,F,5,Kings\n2019,Ada,F,5,Queens\n2019,Bea,F,3,Kings\n"
    line = "year=Year name=Name sex=Sex count=Count"
    assert "line 3: the same name and sex as in line 2" in str(refused(content, line))
    assert read(content, f"{line} sum_over=County") == [(2019, "F", "Ada", 10), (2019, "F", "Bea", 3)]
    found = reported(content, "names.csv", "CH", hints=hints(f"{line} sum_over=County"))
    assert found.added == {"summed over County": 1}
    twice = content + "2019,Ada,F,2,Kings\n"
    error = str(refused(twice, f"{line} sum_over=County"))
    assert "line 5: the same name, sex and year as in line 2" in error


def test_totals_are_left_out_in_every_shape() -> None:
    assert read(LONG + "2020;Total;weiblich;6\n", LINE) == ALL
    assert read(f"{WIDE}Total,9,9,\n", WIDE_LINE) == read(WIDE, WIDE_LINE)
    assert [row[2] for row in read(f"{SIDE_BY_SIDE},Total,99,,Total,99\n", BLOCKS)] == [
        "Ada",
        "Bo",
        "Bea",
        "Carl",
        "Cleo",
    ]


def test_an_empty_file_is_refused() -> None:
    assert str(refused("", LINE)) == "names.csv: the file is empty"


def test_the_description_wins_over_a_format_of_the_country_and_the_report_says_so() -> None:
    said = hints("name=preusuel sex=sexe(1=M 2=F) year=annais count=nombre")
    found = report(source(INSEE, "names.csv", hints=said), "FR")
    assert (found.recognised, found.known_as, found.rows) == ("fr-described", ["fr-insee"], 2)
    assert report(source(LONG, "names.csv", hints=hints(LINE)), "CH").known_as == []


def test_a_description_and_a_format_contradict() -> None:
    description = hints(LINE).description
    said = FileHints(format="ch-zurich", description=description)
    assert refusal(LONG, "names.csv", "CH", hints=said).reason is Reason.CONTRADICTORY


def test_a_description_of_a_newer_version_is_refused() -> None:
    said = FileHints(description='{"future":1}')
    assert "its description is not understood: unknown key 'future'" in str(
        refusal(LONG, "names.csv", "CH", hints=said)
    )
    without_measure = Description.from_columns(LINE).as_json()
    assert "has no measure" in str(refusal(LONG, "names.csv", "CH", hints=FileHints(description=without_measure)))


@pytest.mark.parametrize(
    ("content", "line", "year", "sex"),
    [
        (LONG, LINE, None, None),
        (WIDE, WIDE_LINE, None, None),
        (SIDE_BY_SIDE, BLOCKS, None, None),
        ("Ada,F,9\nBo,M,8\n", "name=#1 sex=#2 count=#3", 2020, None),
        (xlsx({"S": [["Name", "Count"], ["Ada", 9], ["Bea", 7]]}), "name=Name count=Count", 2020, "F"),
        (
            xlsx({"S": [["Name", 2019, 2020.0], ["Ada", 9, 8], ["Bea", 7, "-"]]}),
            "name=Name count={year}(-=-)",
            None,
            "F",
        ),
    ],
)
def test_described_parsers_keep_the_contract(
    content: Content, line: str, year: int | None, sex: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    parser = Described(Description.from_columns(f"{line} measure=births"), "CH")
    check_parser(parser, path, year, sex, mutations=100 if isinstance(content, str) else 5)
