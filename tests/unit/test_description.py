"""Descriptions of lists: two texts for people and one for the database, and a place for each error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import MAX_BYTES, InvalidDescription, Shape

LINE = (
    "year=jahr(XXXX=-) name=vorname|'Given Name'(Gesamt=-) sex=geschlecht(weiblich=F w=F männlich=M divers=-)"
    " count=Anzahl(..=- ''=-) sum_over=kreis sheet='Tabelle 1' measure=births region=CH-ZH top=100 smallest=3"
)
TOML = """\
title = "Vornamen von Neugeborenen"
source = "https://data.example/vornamen"
licence = "CC0"
format = "zurich"
shape = "long"
measure = "births"
region = "CH-ZH"
top = 100
smallest = 3
separator = ";"
charset = "cp1252"
heading_row = 2

[columns]
year = "jahr"
name = ["vorname", "Given Name"]
sex = "geschlecht"
count = "Anzahl"

[sexes]
F = ["weiblich", "w"]
M = ["männlich"]

[left_out]
names = ["Gesamt"]
counts = ["..", ""]
sexes = ["divers"]
years = ["XXXX"]
"""
BLOCKS = "block=F(name=Girls count=Number) block=M(name=Boys count=Number year=2020)"


def problems(text: str, *, toml: bool = False) -> list[str]:
    read = Description.from_toml if toml else Description.from_columns
    with pytest.raises(InvalidDescription) as caught:
        read(text)
    return list(caught.value.problems)


def test_a_line_has_the_columns_and_what_their_texts_mean() -> None:
    said = Description.from_columns(LINE)
    assert (said.year, said.name, said.sex) == (("jahr",), ("vorname", "Given Name"), ("geschlecht",))
    assert (said.girls, said.boys, said.no_sexes) == (("weiblich", "w"), ("männlich",), ("divers",))
    assert (said.no_counts, said.no_names, said.no_years) == (("..", ""), ("Gesamt",), ("XXXX",))
    assert (said.measure, said.region, said.top, said.smallest) == ("births", "CH-ZH", 100, 3)
    assert [sheet.name for sheet in said.sheets] == ["Tabelle 1"]


def test_toml_says_the_same_as_the_line() -> None:
    said = Description.from_toml(TOML)
    line = Description.from_columns(LINE)
    assert (said.separator, said.charset, said.heading_row, said.format) == (";", "cp1252", 2, "zurich")
    for key in ("year", "name", "sex", "count", "girls", "boys", "no_names", "no_counts", "no_sexes", "no_years"):
        assert getattr(said, key) == getattr(line, key)


def test_the_shape_shows_in_the_columns() -> None:
    assert Description.from_columns("name=a count=b").shape is Shape.LONG
    assert Description.from_columns("name=a count='Number {year}'").shape is Shape.WIDE
    assert Description.from_columns("block=F(name=a count=b) block=M(name=c count=d)").shape is Shape.BLOCKS


@pytest.mark.parametrize("said", [Description.from_columns(LINE), Description.from_toml(TOML)])
def test_all_three_texts_read_back_as_the_same(said: Description) -> None:
    assert Description.from_json(said.as_json()) == said
    assert Description.from_toml(said.as_toml()) == said
    assert Description.from_columns(said.as_columns()) == said


def test_equal_descriptions_have_equal_json() -> None:
    one = Description.from_columns("name=a count=b sex=c(x=F)")
    other = Description.from_toml('[sexes]\nF = "x"\n[columns]\nsex = ["c"]\ncount = "b"\nname = "a"\n')
    assert one.as_json() == other.as_json()
    # As Postgres might arrange it.
    assert Description.from_json(one.as_json().replace(":", " : ")).as_json() == one.as_json()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nam=x count=y", "character 1: unknown key 'nam': did you mean name?"),
        ("name=x count=y zzz=1", "character 16: unknown key 'zzz': expected block, charset"),
        ("name=Given Name count=y", "character 12: expected = after this; a text with spaces stands in quotes"),
        ("name='x count=y", "character 6: the quote is not closed"),
        ("name=x count=y sex=s(w=F", "character 21: the parenthesis is not closed"),
        ("name=x name=y count=z", "character 8: name comes twice"),
        ("name= count=y", "character 7: expected the text of the item before this"),
        ("name=x count=x", "character 8: count: the same heading as name"),
        ("name=x", "no column count: expected count=HEADING"),
        ("", "no column name: expected name=HEADING"),
        ("name=x count=y sex=s(w=Q)", "character 22: the meaning of a text in the column sex: expected F, M or -"),
        ("name=x(y=F) count=z", "character 8: the meaning of a text in the column name: expected -"),
        ("name=x count=y sum_over=z(a=-)", "character 27: sum_over takes no parentheses"),
        ("name=x count=y top=ten", "character 16: top: expected a whole number from 1 to 1000000"),
        ("name=x count=y region=Zurich", "character 16: region: expected an ISO 3166-2 code"),
        ("name=x count=y charset=utf-16", "character 16: charset: expected the name of a charset"),
        ("name=x count=y charset=zlib_codec", "character 16: charset: expected the name of a charset"),
        ("name=x count=y separator=x", "character 16: separator: expected tab, comma, semicolon, pipe"),
        ("name=x count=y file_year=1500", "character 16: file_year: expected a whole number from 1700 to"),
        ("name=x count=y year=z file_year=2020", "character 23: year: both the column year and file_year say it"),
        ("name=x count={year} year=z", "year: both the column year and {year} in the headings say it"),
        ("name=x count=y sex=s(w=F) sheet=a(sex=F)", "sex: both the column sex and the sheets say it"),
        ("name=x count=y sheet=a(sex=F) sheet=b", "character 31: sex: some sheets have it and this has not"),
        ("name=x count={year} sum_over=z", "character 21: sum_over: only long lists are summed over a column"),
        ("name=x count=y sheet=a sheet=a", "sheets: the same sheet twice"),
        ("name=x count=y sheet=a(colour=red)", "character 24: unknown key 'colour': expected name, sex, year"),
        ("name=x block=F(name=a count=b)", "character 1: name: blocks have columns of their own"),
        ("block=F(name=a count=b) block=F(name=c count=d)", "character 1: block: two blocks of the same sex and year"),
        ("block=F(name=a)", "character 1: count: expected a text"),
        (BLOCKS, "character 1: year: some blocks have it and this has not"),
        ("name=x count=y sex=s(w=F w=M)", "character 26: 'w': this text has two meanings"),
        ("name=x count='a\u202eb'", "character 8: count: expected a text of 1 to 200 printable characters"),
        ("name=x count=y measure=deaths", "character 16: measure: expected births or population"),
    ],
)
def test_an_error_in_a_line_has_its_place(line: str, expected: str) -> None:
    assert any(problem.startswith(expected) or expected in problem for problem in problems(line)), problems(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'mesure = "births"\n[columns]\nname = "x"\ncount = "y"\n',
            "line 1: unknown key 'mesure': did you mean measure?",
        ),
        ('[columns]\nname = "x"\ncount = 3\n', "line 3: count: expected a text of 1 to 200 printable characters"),
        ('[columns]\nname = "x"\ncount = []\n', "line 3: count: expected 1 to 20 texts"),
        ('name = "x"\n[columns]\ncount = "y"\n', "line 1: name: this belongs into [columns]"),
        ('[columns]\nname = "x"\n\n[colums]\ncount = "y"\n', "line 4: unknown key 'colums': did you mean columns?"),
        ('[columns]\nmännlich = "M"\n', "line 2, character 2: no TOML: "),
        ('shape = "wide"\n[columns]\nname = "x"\ncount = "y"\n', "line 1: shape: this is wide, but without blocks"),
        ('sexes = "F"\n[columns]\nname = "x"\ncount = "y"\n', "line 1: sexes: expected a table, [sexes]"),
        ('blocks = 3\n[columns]\nname = "x"\ncount = "y"\n', "line 1: blocks: expected tables, each as [[blocks]]"),
        (
            '[[sheets]]\nname = "a"\n[[sheets]]\nname = "b"\nsex = "X"\n[columns]\nname = "x"\ncount = "y"\n',
            "line 5: sex: expected F or M",
        ),
        ('top = true\n[columns]\nname = "x"\ncount = "y"\n', "line 1: top: expected a whole number"),
        ('source = "ftp:x"\n[columns]\nname = "x"\ncount = "y"\n', "line 1: source: expected an address"),
        ('[columns]\nname = "x"\ncount = "y"\n[sexes]\nF = "w"\n', "line 5: F: there is no column sex"),
    ],
)
def test_an_error_in_toml_has_its_line(text: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(text, toml=True)), problems(text, toml=True)


def test_all_errors_are_named_at_once() -> None:
    assert len(problems("name=x count=y top=0 smallest=0 region=x")) == 3


def test_a_description_is_bounded() -> None:
    assert "at most 16384 are allowed" in problems("x" * (MAX_BYTES + 1))[0]
    many = " ".join(f"t{number}=-" for number in range(201))
    assert "expected 1 to 200 texts" in problems(f"name=x({many}) count=y")[0]
    headings = "|".join(f"h{number}" for number in range(21))
    assert "expected 1 to 20 texts" in problems(f"name={headings} count=y")[0]
    sheets = " ".join(f"sheet=s{number}" for number in range(201))
    assert "at most 200 are allowed" in problems(f"name=x count=y {sheets}")[0]
    assert problems("[" * 5000, toml=True)


@pytest.mark.parametrize("text", ["", "[]", "3", "nonsense", "[" * 5000, '{"columns": 3}', '{"future": 1}'])
def test_json_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidDescription):
        Description.from_json(text)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
headings = st.lists(texts, min_size=1, max_size=3, unique_by=str.casefold)


@given(
    columns=st.lists(texts, min_size=4, max_size=4, unique_by=str.casefold),
    values=st.lists(texts, min_size=3, max_size=3, unique=True),
    top=st.none() | st.integers(1, 1000),
    title=st.none() | texts,
)
def test_any_texts_survive(columns: list[str], values: list[str], top: int | None, title: str | None) -> None:
    name, count, year, sex = ((text,) for text in columns)
    girls, boys, neither = ((text,) for text in values)
    given = Description(
        name=name, count=count, year=year, sex=sex, girls=girls, boys=boys, no_sexes=neither, top=top, title=title
    )
    try:
        said = Description.from_json(given.as_json())
    except InvalidDescription:
        # Such as a name of {year}.
        return
    assert Description.from_toml(said.as_toml()) == said
    assert Description.from_columns(said.as_columns()) == said


@given(st.text(st.sampled_from("name=coutyrsx|()'\" #{}-\\\n1F"), max_size=60))
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        said = Description.from_columns(line)
    except InvalidDescription as error:
        assert error.problems
        return
    assert Description.from_json(said.as_json()) == said


@given(st.text(st.sampled_from("[]columns=\"\n name.count{}year'#,F"), max_size=80))
def test_any_toml_is_read_or_refused(text: str) -> None:
    try:
        said = Description.from_toml(text)
    except InvalidDescription as error:
        assert error.problems
        return
    assert Description.from_json(said.as_json()) == said
