"""Lists of cities and of Catalonia: small files of each kind, and what may not be read of them."""

import csv
import io
from typing import Any

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers.publishers.de_registries import BERLIN, BERLIN_DISTRICTS, COLOGNE, LEIPZIG, MUNICH
from tests.unit.parsing import opened, refusal, reported, rows
from tests.unit.sample_contents import CATALONIA
from tests.unit.samples import COUNTRIES, SAMPLES

VIENNA = (
    '\ufeff"Vornamen Neugeborene Wien nach Geschlecht und Schreibweise seit 2010 / First names of newborns"\n'
    '"NUTS";"DISTRICT_CODE";"SUB_DISTRICT_CODE";"REF_YEAR";"REF_DATE";"SEX";"RANK";"NAME";"N";"PERC_SEX"\n'
    '"AT13";"90000";"90000";"2010";"2010";"1";"1";"Probert";"169";"1,8"\n'
    '"AT13";"90000";"90000";"2010";"2010";"2";"847";".";"1";"0,0"\n'
    '"AT13";"90000";"90000";"2011";"2011";"2";"1";"Testina";"20";"0,2"\n'
)
SIDES = (
    "Rang,Anzahl,Vorname,Geschlecht,-,Rang,Anzahl,Vorname,Geschlecht\n"
    "1,57,Testina,w,,1,63,Probert,m\n2,5,Gia,w,,2,4,Gia,m\n,,,,,3,1,Provo,m\n"
)


def test_vienna_numbers_the_sexes_and_has_points_for_names() -> None:
    report = reported(VIENNA, "l9ogdvornamentop500", "AT")
    assert (report.rows, report.total, report.years, report.sexes) == (2, 189, [2010, 2011], ["F", "M"])
    assert dict(report.left_out) == {"names without a letter": 1}
    assert (report.region, report.measure) == ("AT-9", "births")


@pytest.mark.parametrize("code", ["90100", "90200", ""])
def test_viennas_districts_are_no_part_of_the_citys_list(code: str) -> None:
    changed = VIENNA.replace('"90000";"90000";"2011"', f'"{code}";"90000";"2011"')
    error = refusal(changed, "l9ogdvornamentop500", "AT")
    assert "line 5: expected 90000 as DISTRICT_CODE, which is the whole city" in str(error)


def test_viennas_headings_without_the_title_are_another_list() -> None:
    titled = VIENNA.replace("Neugeborene Wien", "der Wiener Bevölkerung")
    assert refusal(titled, "l9ogdvornamentop500", "AT").reason is Reason.INVALID_FORMAT
    assert refusal(VIENNA.partition("\n")[2], "wien.csv", "AT").reason is Reason.INVALID_FORMAT


def test_catalonias_shares_have_a_comma_without_quotes() -> None:
    assert rows(CATALONIA, "nomscatalunya.csv", "ES") == [
        (2022, "F", "PROVÍNIA/PROVINIA", 440),
        (2022, "M", "PROBERT", 433),
        (2022, "F", "TESTINA ZOE", 4),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("440,7,81", "1,440,7"),
        ("440,7,81", "440,7,81,5"),
        ("440,7,81", "1,440,7,81"),
        ("PROBERT,433,8", "PROBERT,,433,8"),
        ("440,7,81", "7,,81"),
    ],
)
def test_catalonias_other_stray_commas_are_refused(old: str, new: str) -> None:
    assert refusal(CATALONIA.replace(old, new), "nomscatalunya.csv", "ES").reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("place", ["Barcelona", "Alt Camp", "Espanya", "Catalunya Central"])
def test_a_part_of_catalonia_is_not_catalonia(place: str) -> None:
    changed = CATALONIA.replace("\nCatalunya\n", f"\n{place}\n")
    assert refusal(changed, "nomscatalunya.csv", "ES").reason is Reason.INVALID_FORMAT


def test_catalonias_population_is_not_its_newborns() -> None:
    changed = CATALONIA.replace("dels nadons", "de la població")
    assert refusal(changed, "nomscatalunya.csv", "ES").reason is Reason.INVALID_FORMAT


def test_catalonias_year_is_in_its_title() -> None:
    assert refusal(CATALONIA, "noms.csv", "ES", year=2021).reason is Reason.CONTRADICTORY
    assert refusal(CATALONIA, "nomscatalunya_2021.csv", "ES").reason is Reason.CONTRADICTORY


def test_leipzigs_girls_and_boys_stand_side_by_side() -> None:
    assert rows(SIDES, "vornamensstatistik2014.csv", "DE") == [
        (2014, "F", "Testina", 57),
        (2014, "M", "Probert", 63),
        (2014, "F", "Gia", 5),
        (2014, "M", "Gia", 4),
        (2014, "M", "Provo", 1),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "1,57,Testa,w,7,1,63,Provert,m",
        "1,57,Testa,w,,1,63,Provert",
        "1,57,Testa,w,,1,63,Provert,m,",
        "1,57,Testa,w,,1,,Provert,m",
        "1,57,Testa,x,,1,63,Provert,m",
        "1,57,Testina,w,,1,63,Provert,m",
    ],
)
def test_a_broken_line_side_by_side_refuses_the_file(line: str) -> None:
    assert "line 5" in str(refusal(f"{SIDES}{line}\n", "vornamensstatistik2014.csv", "DE"))


def test_leipzigs_year_is_in_the_files_name() -> None:
    assert refusal(SIDES, "vornamensstatistik.csv", "DE").reason is Reason.INVALID_FILENAME
    assert refusal(SIDES, "vornamensstatistik2014.csv", "DE", year=2015).reason is Reason.CONTRADICTORY


REGISTRY = "anzahl;vorname;geschlecht;position\n7;Testina;w;1\n5;Probert;m;1\n2;Testina;w;2\n"
REGISTRY_2012 = "vorname,anzahl,geschlecht\nTestina,7,w\nProbert,5,m\n"
ZURICH = (
    '\ufeff"jahr","vorname","geschlecht","Anzahl"\r\n2015,"Testina","weiblich",7\r\n2015,"Probert","männlich",5\r\n\r\n'
)


def region_of(content: str, name: str, country: str = "DE", **said: Any) -> str | None:
    return opened(content, name, country, hints=FileHints(**said)).region


@pytest.mark.parametrize("content", [REGISTRY, REGISTRY_2012, REGISTRY_2012.replace(",", ";")])
@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Vornamen_2018_Koeln.csv", COLOGNE),
        ("Köln 2018.csv", COLOGNE),
        ("Ko\u0308ln 2018.csv", COLOGNE),
        ("vornamen-KÖLN-2018.csv", COLOGNE),
        ("cologne2018.csv", COLOGNE),
        ("Vornamen_Leipzig_2018.csv", LEIPZIG),
        ("vornamen_muenchen2018.csv", MUNICH),
        ("Stadt München 2018.csv", MUNICH),
        ("Mu\u0308nchen (2018).csv", MUNICH),
    ],
)
def test_the_citys_word_in_the_name_says_whose_list_it_is(content: str, name: str, region: str) -> None:
    assert region_of(content, name) == region
    assert region_of(content, name, region=region) == region


@pytest.mark.parametrize(
    "name",
    ["vornamen2018.csv", "berlin-mitte-2018.csv", "Pankow 2018.csv", "Neukölln 2018.csv", "Koelner 2018.csv",
     "Landkreis Leipzig 2018.csv", "Region_Koeln_2018.csv", "KoelnerVornamen2018.csv", "unterkoeln2018.csv"],
)  # fmt: skip
def test_without_it_the_file_is_refused_with_all_that_it_may_be(name: str) -> None:
    error = refusal(REGISTRY, name, "DE")
    assert error.reason is Reason.UNDECIDED
    formats = {"de-berlin", "de-koeln", "de-leipzig", "de-muenchen"}
    assert {hint.format for hint in error.hints} == {*formats, None}  # the last: describe its columns
    assert all(name in str(error) for name in ("de-berlin with a region (DE-BE, ", COLOGNE, LEIPZIG, MUNICH))


@pytest.mark.parametrize("code", [BERLIN, *BERLIN_DISTRICTS])
def test_berlins_region_is_the_one_given(code: str) -> None:
    assert region_of(REGISTRY, "vornamen2018.csv", region=code) == code
    assert region_of(REGISTRY_2012, "list.csv", region=code, format="de-berlin", year=2012) == code


def test_berlin_without_a_region_is_refused() -> None:
    error = refusal(REGISTRY, "vornamen2018.csv", "DE", hints=FileHints(format="de-berlin"))
    assert error.reason is Reason.UNDECIDED
    assert "DE-BE, DE-BE-11001" in str(error)


@pytest.mark.parametrize(
    ("name", "district"),
    [
        ("mitte2018.csv", "11001"),
        ("Friedrichshain-Kreuzberg_Vornamen 2018.csv", "11002"),
        ("F.-K. Vornamenstatistik_2018-01-01_2018-12-31.csv", "11002"),
        ("Pankow von Berlin Vornamen 2018.csv", "11003"),
        ("Vornamenstatistik 2018 C.-W..csv", "11004"),
        ("Spandau 2018.csv", "11005"),
        ("S.-Z. 2018.csv", "11006"),
        ("Tempelhof-Scho\u0308neberg von Berlin Vornamen 2018.csv", "11007"),
        ("Vornamenstatistik 2018 T.-S..csv", "11007"),
        ("Vornamenstatistik 2018 Nkn.csv", "11008"),
        ("neukoelln2018.csv", "11008"),
        ("Treptow-Köpenick Vornamen 2018.csv", "11009"),
        ("M.-H. 2018.csv", "11010"),
        ("Libg Vornamenstatistik_2018-01-01_2018-12-31.csv", "11011"),
        ("Rdf 2018.csv", "11012"),
    ],
)
def test_a_district_in_the_name_is_the_only_one_that_may_be_given(name: str, district: str) -> None:
    for code in (BERLIN, *BERLIN_DISTRICTS):
        if code == f"DE-BE-{district}":
            assert region_of(REGISTRY, name, region=code) == code
        else:
            error = refusal(REGISTRY, name, "DE", hints=FileHints(region=code))
            assert error.reason is Reason.CONTRADICTORY
            assert f"has a word of DE-BE-{district}" in str(error)


@pytest.mark.parametrize("name", ["standesamt_i.csv", "Vornamenstatistik 2021 I in Berlin.csv"])
def test_births_abroad_are_no_part_of_berlin(name: str) -> None:
    error = refusal(REGISTRY, name, "DE", hints=FileHints(region=BERLIN, year=2021 if "2021" in name else 2015))
    assert error.reason is Reason.CONTRADICTORY
    assert "births abroad" in str(error)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Vornamen_2018_Koeln.csv", {"format": "de-muenchen"}),
        ("Vornamen_2018_Koeln.csv", {"region": MUNICH}),
        ("Vornamen_2018_Koeln.csv", {"format": "de-berlin", "region": BERLIN}),
        ("Vornamen_2018_Koeln.csv", {"region": BERLIN}),
        ("Vornamen_2018_Koeln.csv", {"format": "de-koeln", "region": MUNICH}),
        ("Köln Mitte 2018.csv", {}),
        ("berlin-2018.csv", {"format": "de-koeln"}),
        ("Nkn 2018.csv", {"region": LEIPZIG}),
    ],
)
def test_a_word_of_another_place_contradicts(name: str, said: dict[str, Any]) -> None:
    assert refusal(REGISTRY, name, "DE", hints=FileHints(**said)).reason is Reason.CONTRADICTORY


def test_the_headings_of_munich_in_2015_are_no_proof_either() -> None:
    content = REGISTRY_2012.replace("vorname,", "vornamen,")
    assert rows(content, "Vornamen_Muenchen_2015.csv", "DE") == [(2015, "F", "Testina", 7), (2015, "M", "Probert", 5)]
    assert refusal(content, "vornamen_2015.csv", "DE").reason is Reason.UNDECIDED
    assert refusal(content, "Vornamen_Koeln_2015.csv", "DE").reason in (Reason.UNDECIDED, Reason.CONTRADICTORY)


def test_leipzigs_own_headings_under_the_name_of_another_city_are_refused() -> None:
    assert refusal(SIDES, "Vornamen_Koeln_2014.csv", "DE").reason is Reason.CONTRADICTORY


@pytest.mark.parametrize(
    "days",
    ["2022-01-01_2022-12-31", "2022_01_01-2022_12_31", "01.01.2022-31.12.2022", "31.12.2022_01.01.2022", "2022",
     "2022 (2022-01-01_2022-12-31)", "2022 (1)", "2022-1", "2022_0", "20230115_2022"],
)  # fmt: skip
def test_days_in_the_name_are_their_year_if_they_are_all_of_it(days: str) -> None:
    name = f"Libg Vornamenstatistik_{days}.csv"
    read = rows(REGISTRY, name, "DE", hints=FileHints(region="DE-BE-11011"))
    assert {year for year, _, _, _ in read} == {2022}
    error = refusal(REGISTRY, name, "DE", hints=FileHints(region="DE-BE-11011", year=2021))
    assert error.reason is Reason.CONTRADICTORY


@pytest.mark.parametrize(
    "days",
    ["2022-01-01_2022-06-30", "2022-07-01_2023-06-30", "2021-01-01_2022-12-31", "01.01.2022-30.06.2022",
     "2022-01-01_2022-12-31_2023-01-15", "1. Halbjahr 2022", "2022_Q1", "2022 Quartal 3", "2022-01-01_2022-12-30",
     "seit 2022", "bis_2022", "since-2022", "first_half_2022", "FY2022", "FY 2022",
     "2019-2022", "2019–2022", "2021 bis 2022", "2021_to_2022", "2022-12", "2021-22"],
)  # fmt: skip
def test_parts_of_a_year_and_several_years_are_refused_even_with_a_year(days: str) -> None:
    for year in (None, 2022):
        hints = FileHints(region="DE-BE-11011", year=year)
        error = refusal(REGISTRY, f"Libg Vornamenstatistik_{days}.csv", "DE", hints=hints)
        assert error.reason is Reason.INVALID_FILENAME
        assert "not of one whole year" in str(error)


def test_one_day_in_the_name_is_when_the_file_was_made() -> None:
    assert refusal(REGISTRY, "koeln_2023-01-15.csv", "DE").reason is Reason.INVALID_FILENAME
    assert rows(REGISTRY_2012, "koeln_2023-01-15.csv", "DE", year=2022)[0] == (2022, "F", "Testina", 7)
    assert rows(REGISTRY_2012, "koeln_2022_2023-01-15.csv", "DE")[0] == (2022, "F", "Testina", 7)


def test_positions_are_added_up_and_names_without_a_letter_left_out() -> None:
    content = REGISTRY + "2;-;m;2\n1;+;w;4\n1;;w;2\n"
    report = reported(content, "Vornamen_2018_Koeln.csv", "DE")
    assert (report.rows, report.total, dict(report.added)) == (2, 14, {"positions of the same given name": 1})
    assert dict(report.left_out) == {"names without a letter": 2, "records without a name": 1}


def test_zurichs_file_is_known_by_its_publishers_name_or_by_the_uploaders_word() -> None:
    expected = [(2015, "F", "Testina", 7), (2015, "M", "Probert", 5)]
    assert rows(ZURICH, "bev_vornamen_baby_seit1993.csv", "CH") == expected
    assert region_of(ZURICH, "vornamen.csv", "CH", region="CH-ZH-261") == "CH-ZH-261"
    assert region_of(ZURICH, "vornamen.csv", "CH", format="ch-zuerich-newborns") == "CH-ZH-261"
    assert refusal(ZURICH, "vornamen_zuerich.csv", "CH").reason is Reason.UNDECIDED
    assert refusal(ZURICH, "bev_zweitevornamen_baby.csv", "CH").reason is Reason.UNDECIDED
    assert refusal(ZURICH, "bev_vornamen_baby.csv", "CH", hints=FileHints(region="CH-ZH")).reason is Reason.UNDECIDED


MINE = [
    "at-wien-newborns", "ch-zuerich-newborns", "de-berlin", "de-koeln", "de-leipzig", "de-leipzig-side-by-side",
    "de-muenchen", "es-idescat-newborns",
]  # fmt: skip


def read(name: str, content: bytes) -> set[tuple[int, str, str, int]] | Rejected:
    sample = SAMPLES[name]
    try:
        return set(rows(content, sample.name, COUNTRIES[name], hints=sample.hints))
    except Rejected as error:
        return error


@pytest.mark.parametrize("name", MINE)
def test_a_list_put_together_wrongly_is_refused(name: str) -> None:
    lines = SAMPLES[name].content.splitlines(keepends=True)
    right = read(name, b"".join(lines))
    assert isinstance(right, set)
    above = next(number for number, line in enumerate(lines) if is_record(name, line))
    for changed in (lines + lines, lines + lines[above:], [*lines, lines[above]], [*lines, lines[len(lines) // 2]]):
        found = read(name, b"".join(changed))
        assert isinstance(found, Rejected), found ^ right


def is_record(name: str, line: bytes) -> bool:
    """Whether the file can be read without this line, and lacks rows then: it is no title and no heading."""
    content = SAMPLES[name].content
    without = read(name, content.replace(line, b"", 1))
    return isinstance(without, set) and without != read(name, content)


@pytest.mark.parametrize("name", MINE)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_saved_anew_gives_the_same_rows(name: str, delimiter: str) -> None:
    right = read(name, SAMPLES[name].content)
    records = records_of(name)
    text = saved(records, delimiter)
    quoted = saved(records, delimiter, all_quoted=True)
    for form in (text, quoted, text.replace("\n", "\r\n"), f"\ufeff{text}"):
        assert read(name, form.encode()) == right
    assert read(name, text.encode("utf-16")) == right
    try:
        western = text.encode("cp1252")
    except UnicodeEncodeError:
        return
    assert read(name, western) == right


def records_of(name: str) -> list[list[str]]:
    text = SAMPLES[name].content.decode("utf-8-sig")
    return [*csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[-1] else ",")]


def saved(records: list[list[str]], delimiter: str, *, all_quoted: bool = False) -> str:
    file = io.StringIO()
    dialect = "unix" if all_quoted else "excel"
    csv.writer(file, dialect, delimiter=delimiter, lineterminator="\n").writerows(records)
    return file.getvalue()


@pytest.mark.parametrize("name", MINE)
def test_a_list_without_a_column_is_refused_or_the_same(name: str) -> None:
    right = read(name, SAMPLES[name].content)
    records = records_of(name)
    for column in range(max(map(len, records))):
        found = read(name, saved([record[:column] + record[column + 1 :] for record in records], ",").encode())
        assert isinstance(found, Rejected) or found == right, column
