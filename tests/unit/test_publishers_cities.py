"""Lists of cities and of Catalonia: small files of each kind, and what may not be read of them."""

import pytest

from dataset_jobs.model.causes import Reason
from tests.unit.parsing import refusal, reported, rows
from tests.unit.sample_contents import CATALONIA

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
    assert report.parsed is not None
    assert (report.parsed.region, report.parsed.measure) == ("AT-9", "births")


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
