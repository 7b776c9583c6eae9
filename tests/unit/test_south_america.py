"""Chile and Montevideo, whose lists look like anybody's; Argentina, whose lists have no sex."""

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.file_hints import FileHints
from tests.unit.parsing import opened, refusal, reported, rows, zipped
from tests.unit.sample_contents import CHILE

MONTEVIDEO = '1957,"F","MARIA DEL",610\n1957,"F","MARIA  DEL",19\n2012,"M","PROBERT",1\n'
UY_NAME = "nombre_nacim_x_anio_sexo.csv"
AS_CHILE = FileHints(format="cl-registro-civil")


def test_montevideo_counts_spaces_and_such_lines_are_added_up() -> None:
    assert rows(MONTEVIDEO, UY_NAME, "UY") == [(1957, "F", "MARIA DEL", 629), (2012, "M", "PROBERT", 1)]
    assert reported(MONTEVIDEO, UY_NAME, "UY").added == {"lines of the same name with other spaces": 1}
    assert opened(MONTEVIDEO, UY_NAME, "UY").region == "UY-MO"


def test_later_files_of_montevideo_have_headings() -> None:
    content = "ANIO,SEXO,NOMBRE,NACIMIENTOS\n" + MONTEVIDEO
    assert rows(content, UY_NAME, "UY") == rows(MONTEVIDEO, UY_NAME, "UY")


def test_an_equal_line_of_montevideo_is_one_line() -> None:
    found = reported(MONTEVIDEO + '2012,"M","PROBERT",1\n', UY_NAME, "UY")
    assert (found.rows, found.total) == (2, 630)
    assert found.left_out == {"lines that the publisher repeats (the same line twice is one line)": 1}


def test_a_line_of_montevideo_stands_twice_at_most() -> None:
    line = '2012,"M","PROBERT",1\n'
    assert "line 5: the same name, sex and spelling as in line 3" in str(refusal(MONTEVIDEO + line * 2, UY_NAME, "UY"))


def test_montevideo_never_adds_two_figures_of_one_text() -> None:
    error = refusal(MONTEVIDEO + '2012,"M","PROBERT",2\n', UY_NAME, "UY")
    assert "line 4: the same name, sex and spelling as in line 3, for the same year" in str(error)


def test_children_of_montevideo_without_a_name_are_left_out() -> None:
    content = MONTEVIDEO + '1951,"M","",2\n1951,"M","N.N",1\n1956,"M","NN",1\n1941,"M","SIN VIDA",1\n'
    assert rows(content, UY_NAME, "UY") == rows(MONTEVIDEO, UY_NAME, "UY")
    assert sum(reported(content, UY_NAME, "UY").left_out.values()) == 4


@pytest.mark.parametrize("hints", [FileHints(format="uy-montevideo"), FileHints(region="UY-MO")])
def test_only_the_name_or_the_uploader_says_that_a_list_is_montevideos(hints: FileHints) -> None:
    assert refusal(MONTEVIDEO, "names.csv", "UY").reason is Reason.UNDECIDED
    assert rows(MONTEVIDEO, "names.csv", "UY", hints=hints) == rows(MONTEVIDEO, UY_NAME, "UY")


def test_one_publisher_alone_is_not_many() -> None:
    text = str(refusal(CHILE, "names.csv", "CL"))
    assert "if it is of this one, say its format: cl-registro-civil" in text


LOOK_ALIKE = {
    "Paraguay": '1990,"F","TESTINA",12\n1990,"M","PROBERT",8\n',
    "Buenos Aires": "anio,sexo,nombre,nacimientos\n1990,F,TESTINA,12\n",
    "Mexico": "1990;F;TESTINA;12\n",
}


@pytest.mark.parametrize("content", LOOK_ALIKE.values(), ids=LOOK_ALIKE)
def test_lists_like_montevideos_are_refused_without_a_hint(content: str) -> None:
    assert refusal(content, "nombres.csv", "UY").reason is Reason.UNDECIDED


@pytest.mark.parametrize("country", ["US", "PT", "AR", "CL", "ES"])
def test_montevideos_list_is_of_no_other_country(country: str) -> None:
    assert refusal(MONTEVIDEO, UY_NAME, country).reason in (Reason.INVALID_FORMAT, Reason.NO_PARSER)


@pytest.mark.parametrize(
    "content", ["Testina,F,12\nProbert,M,8\n", "AK,F,1910,Testina,14\n", "nome,numero,genero\nAna,161,F\n"]
)
def test_files_of_the_us_and_of_portugal_are_not_montevideos(content: str) -> None:
    assert refusal(content, UY_NAME, "UY").reason is Reason.INVALID_FORMAT


def test_chile_has_year_and_sex_only_in_the_name_and_needs_the_format() -> None:
    expected = [(2019, "F", "ISABELLA", 3102), (2019, "F", "TRINIDAD,ANTONELLA", 1), (2019, "F", "MARÍA-JOSÉ", 2)]
    assert rows(CHILE, "females2019.csv", "CL", hints=AS_CHILE) == expected
    assert rows(CHILE, "registro_civil_female_2019.csv", "CL") == expected
    said = FileHints(format="cl-registro-civil", year=2019, sex="F")
    assert rows(CHILE, "names.csv", "CL", hints=said) == expected
    assert refusal(CHILE, "names.csv", "CL", hints=AS_CHILE).reason is Reason.INVALID_FILENAME
    assert refusal(CHILE, "females2019.csv", "CL", sex="M").reason is Reason.UNDECIDED
    said = FileHints(format="cl-registro-civil", sex="M")
    assert refusal(CHILE, "females2019.csv", "CL", hints=said).reason is Reason.CONTRADICTORY


@pytest.mark.parametrize("name", ["females2019.csv", "nombres.csv", "mujeres_2020_INE.csv"])
def test_names_and_totals_alone_are_not_chiles(name: str) -> None:
    """Spain, Mexico, or anybody."""
    error = refusal("Nombre,Total\nTESTINA,12\n", name, "CL")
    assert error.reason is Reason.UNDECIDED
    assert "cl-registro-civil" in str(error)


def test_two_lists_of_chile_in_one_file_are_refused() -> None:
    name = "registro-civil-females2019.csv"
    assert "the same name and sex as in line 2" in str(refusal(CHILE + "ISABELLA,2\n", name, "CL"))
    assert refusal(CHILE + CHILE, name, "CL").reason is Reason.INVALID_FORMAT


ARGENTINA = "nombre,cantidad,anio\nTestina,12,1990\nProbert,8,1990\n"


@pytest.mark.parametrize(
    "content",
    [
        ARGENTINA,
        ARGENTINA.upper(),
        ARGENTINA.replace(",", ";"),
        "provincia_id,nombre_provincia,anio,nombre,cantidad\n2,Salta,2012,TESTINA,4\n",
    ],
)
@pytest.mark.parametrize("hints", [None, FileHints(sex="F"), FileHints(format="ar-renaper", sex="M", year=1990)])
def test_argentinas_lists_are_refused_because_they_have_no_sex(content: str, hints: FileHints | None) -> None:
    error = refusal(content, "historico-nombres.csv", "AR", hints=hints)
    assert error.reason is Reason.INVALID_FORMAT
    assert "no sex" in str(error)


@pytest.mark.parametrize("country", ["CL", "US", "UY"])
def test_such_a_list_is_not_sent_to_argentina_where_it_is_refused(country: str) -> None:
    assert "ar-renaper" not in str(refusal(ARGENTINA, "nombres.csv", country))


def test_argentinas_archive_is_refused_for_the_same_reason() -> None:
    error = refusal(zipped({"historico-nombres.csv": ARGENTINA}), "historico-nombres.zip", "AR")
    assert "no sex" in str(error)


def test_another_list_of_argentina_is_of_no_known_format() -> None:
    assert "no known format of AR" in str(refusal("nombre,sexo,cantidad,anio\nT,F,1,1990\n", "n.csv", "AR"))
