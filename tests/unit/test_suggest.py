"""Proposed descriptions: from headings in many languages, from values, and what cannot be told."""

import json
from pathlib import Path

import pytest

from dataset_jobs.model.description import Description
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers import parse_whole
from parser_runner.parsers.descriptions.suggest import NothingToSuggest, Suggestion, suggest
from tests.unit.command_line import run
from tests.unit.parsing import Content, source
from tests.unit.workbooks import xlsx


def proposed(content: Content, name: str = "names.csv") -> Suggestion:
    file = source(content, name)
    try:
        return suggest(file, "LU")
    finally:
        file.close()


def test_nothing_is_proposed_that_the_file_and_its_country_do_not_say() -> None:
    notes = "\n".join(proposed("name,sex,count\nEmma,F,12\nLiam,M,9\n").notes)
    assert 'region = "LU-…"' in notes
    assert "file_year = …" in notes and "20" not in notes


def line(content: Content, name: str = "names.csv") -> str:
    return proposed(content, name).description.as_columns().replace(" measure=births", "")


@pytest.mark.parametrize(
    ("headings", "sexes"),
    [
        ("year,name,sex,count", ("F", "M")),
        ("jahr,vorname,geschlecht,anzahl", ("w", "m")),
        ("Année,Prénom,Sexe,Nombre de naissances", ("F", "M")),
        ("Año,Nombre,Sexo,Frecuencia", ("F", "M")),
        ("Ano,Nome próprio,Sexo,Número", ("F", "M")),
        ("År,Navn,Køn,Antal", ("Pige", "Dreng")),
        ("År,Namn,Kön,Antal", ("Flickor", "Pojkar")),
        ("Vuosi,Etunimi,Sukupuoli,Lukumäärä", ("Nainen", "Mies")),
        ("Leto,Ime,Spol,Število", ("ženska", "moški")),
        ("Jaar,Voornaam,Geslacht,Aantal", ("Meisje", "Jongen")),
        ("Rok,Imię,Płeć,Liczba", ("kobieta", "mężczyzna")),
        ("Anno,Nome,Sesso,Nati", ("Femmina", "Maschio")),
        ("Any,Nom,Sexe,Freqüència", ("nenes", "nens")),
        ("Year of birth,Child's first name,Gender,Number of babies", ("FEMALE", "MALE")),
    ],
)
def test_headings_in_the_languages_of_publishers(headings: str, sexes: tuple[str, str]) -> None:
    girls, boys = sexes
    content = f"{headings}\n2019,Ada,{girls},5\n2019,Bo,{boys},4\n2020,Cleo,{girls},3\n"
    found = proposed(content).description
    assert [found.year[0], found.name[0], found.sex[0], found.count[0]] == headings.split(",")
    assert (found.girls, found.boys) == ((girls,), (boys,))
    hints = FileHints(description=found.as_json())
    assert [row.gender for row in parse_whole(source(content, "x.csv", hints=hints), "CH").rows] == ["F", "M", "F"]


@pytest.mark.parametrize(
    ("texts", "girls", "boys", "said"),
    [
        ("HM", "M", "H", "as hombre and mujer"),
        ("DH", "D", "H", "as dona and home"),
        ("12", "2", "1", "as ISO 5218 has them"),
        ("VM", "V", "M", "but in Spanish v is varón"),
    ],
)
def test_letters_that_may_mean_either_are_uncertain(texts: str, girls: str, boys: str, said: str) -> None:
    found = proposed(f"Nom;Sexo;Total\nAda;{texts[0]};5\nBo;{texts[1]};4\n")
    assert (found.description.girls, found.description.boys) == ((girls,), (boys,))
    assert said in found.as_toml()
    assert f"# Uncertain: {said[:2]}" in found.as_toml() or "Uncertain" in found.as_toml()


def test_texts_without_a_known_meaning_are_asked_for() -> None:
    found = proposed("Name,Sex,Count\nAda,xx,5\nBo,yy,4\n")
    assert "Say under [sexes] what these mean: 'xx', 'yy'." in found.as_toml()


def test_years_as_columns() -> None:
    content = "Female names,,,\nFIRST NAME,Number 2019,Number 2020,Rank 2019\nAda,5,6,1\nBea,-,7,-\n"
    assert line(content) == "name='FIRST NAME' count='Number {year}'(-=-) file_sex=title"
    assert line("Name,2019,2020\nAda,5,6\nBea,4,7\n", "girls.csv") == "name=Name count={year} file_sex=filename"


def test_blocks_side_by_side() -> None:
    girls_and_boys = "Girl Names,Count of Girl Names,Boy Names,Count of Boy Names\nAda,9,Bo,8\nBea,7,Carl,6\n"
    expected = "block=F(name=#1 count=#2) block=M(name=#3 count=#4) file_year=filename heading_row=1"
    assert line(girls_and_boys, "names-2020.csv") == expected
    counts_before = (
        "Rang,Anzahl,Vorname,Geschlecht,-,Rang,Anzahl,Vorname,Geschlecht\n1,9,Ada,w,,1,8,Bo,m\n2,7,Eva,w,,,,,\n"
    )
    expected = "block=F(name=#3 count=#2) block=M(name=#8 count=#7) heading_row=1"
    assert line(counts_before) == expected
    unsaid = "Name,Count,Name,Count\nAda,9,Bo,8\nBea,7,Carl,6\n"
    with pytest.raises(NothingToSuggest, match="nothing says which sex or year each has"):
        proposed(unsaid)


def test_lists_without_headings() -> None:
    assert line("1940,F,ADA,11\n1940,M,BO,5\n") == "name=#3 count=#4 sex=#2(F=F M=M) year=#1"
    assert line("Ada,F,11\nBo,M,5\n", "2020.txt") == "name=#1 count=#3 sex=#2(F=F M=M) file_year=filename"


def test_the_longest_sheet_with_such_headings() -> None:
    head = ["Name", "Count"]
    book = xlsx(
        {"Notes": [["x"]], "Top": [head, ["Ada", 9], ["Bea", 8]], "All": [head, ["Ada", 9], ["Bea", 8], ["Cleo", 1]]}
    )
    found = proposed(book, "girls.xlsx")
    assert [sheet.name for sheet in found.description.sheets] == ["All"]
    assert "These have such headings, too: 'Top'." in found.as_toml()


def test_a_file_that_is_not_utf_8() -> None:
    found = proposed("Prénom;Nombre\nZoé;5\nÉva;4\n".encode("cp1252"))
    assert found.description.charset == "cp1252"
    assert found.description.name == ("Prénom",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the file is empty"),
        ("Town,Area\nHere,5\nThere,6\n", "none has a heading such as name"),
        ("Surname,Count\nMeier,5\nMüller,6\n", "none has a heading such as name"),
        ("Name,Rank\nAda,1\nBea,2\n", "none has a heading such as name"),
        (b"\0\1\2" * 100, "none has a heading such as name"),
    ],
)
def test_if_nothing_can_be_proposed_it_says_why(content: Content, why: str) -> None:
    with pytest.raises(NothingToSuggest, match=why):
        proposed(content)


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.csv"
    path.write_text("jahr,vorname,geschlecht,Anzahl\n2019,Ada,weiblich,5\n2019,Bo,männlich,4\n", encoding="utf-8")
    return path


def test_the_command_prints_toml_that_can_be_kept(names: Path) -> None:
    found = run("parse", "--suggest", names)
    assert found.exit_code == 0, found.output
    said = Description.from_toml(found.stdout)
    assert (said.name, said.measure) == (("vorname",), "births")
    [columns] = [text for text in found.stdout.splitlines() if text.startswith("# --columns ")]
    assert Description.from_columns(columns.removeprefix('# --columns "').removesuffix('"')) == said
    assert "# Tried: 2 rows, 9 in all, of 2019, from 4 up; 0 left out" in found.stdout
    kept = names.with_name("zurich.toml")
    kept.write_text(found.stdout, encoding="utf-8")
    done = run("parse", names, "--country", "CH", "--description", kept)
    assert done.stdout.splitlines() == ["year,gender,name,count", "2019,F,Ada,5", "2019,M,Bo,4"]


def test_the_command_prints_json(names: Path) -> None:
    found = json.loads(run("parse", names, "--suggest", "--json", "--country", "CH").stdout)
    assert found["description"]["columns"]["name"] == "vorname"
    assert found["tried"]["rows"] == 2
    assert any(note.startswith("measure: Uncertain") for note in found["notes"])


def test_the_command_says_why_it_proposes_nothing(names: Path) -> None:
    names.write_text("Town,Area\nHere,5\nThere,6\n", encoding="utf-8")
    found = run("parse", names, "--suggest")
    assert found.exit_code != 0
    assert "no description can be proposed" in str(found.exception)


def test_a_country_without_a_parser_gets_the_command_that_proposes_one(names: Path) -> None:
    found = run("parse", names, "--country", "JP")
    assert found.exit_code == 65
    assert f"affirm-worker parse {names} --country JP --suggest" in found.stderr
    assert run("parse", names, "--country", "JP", "--suggest").exit_code == 0
