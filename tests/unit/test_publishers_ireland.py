"""Ireland's tables as JSON-stat and CSV: the rows of each, and documents that are huge, deep or odd."""

import json
import time
from typing import Any

import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.places import Figure
from parser_runner.parsers.jsonstat import BYTES_LIMIT
from tests.unit.parsing import opened, refusal, reported, rows
from tests.unit.sample_contents import CSO_CSV, JSON_STAT, PX

EXPECTED = [(2019, "M", "Seán", 12), (2019, "M", "Jack", 656), (2020, "M", "Jack", 587)]


def document(**changes: Any) -> bytes:
    return json.dumps({**JSON_STAT, **changes}).encode()


def dimension(code: str, **category: Any) -> dict[str, Any]:
    """All dimensions, with one whose categories are others."""
    dimensions: dict[str, Any] = JSON_STAT["dimension"]  # type: ignore[assignment]
    return {**dimensions, code: {"label": dimensions[code]["label"], "category": category}}


NAMES = "C02512V04117"
SPARSE = {str(at): value for at, value in enumerate([12, 656, None, 587, 9, 1, None, 1]) if value is not None}


@pytest.mark.parametrize(
    "content",
    [
        document(),
        b"\xef\xbb\xbf" + document(),
        json.dumps(JSON_STAT, indent=2).encode(),
        document(value=SPARSE),
        document(value={**SPARSE, "2": None}),
        document(value=dict(reversed(SPARSE.items()))),
        document(status={"2": ".."}),
        document(status=["a"] * 8),
        document(dimension=dimension(NAMES, index={"0001": 1, "0002": 0}, label={"0001": "Jack", "0002": "Seán"})),
        document(dimension=dict(reversed(dimension(NAMES, index=["Seán", "Jack"]).items()))),
    ],
)
def test_a_dataset_is_read_in_every_form(content: bytes) -> None:
    assert sorted(rows(content, "VSA50.json", "IE")) == sorted(EXPECTED)


def test_the_order_of_the_dimensions_is_that_of_id() -> None:
    turned = {"id": ["TLIST(A1)", NAMES, "STATISTIC"], "value": [12, 9, 656, 1, None, None, 587, 1]}
    assert rows(document(**turned), "any.json", "IE") == EXPECTED


def test_a_dataset_of_all_names_has_no_top() -> None:
    found = reported(document(), "VSA50.json", "IE")
    assert (found.recognised, found.measure, found.top) == ("ie-cso-jsonstat", "births", None)
    assert found.left_out == {"suppressed or absent figures (null)": 1}
    older = json.dumps(JSON_STAT).replace(" with 3 or More Occurrences", "")
    assert opened(older, "VSA10.json", "IE").top == 100


def test_the_sex_must_not_contradict_the_title() -> None:
    assert refusal(document(), "VSA50.json", "IE", sex="F").reason is Reason.CONTRADICTORY
    assert refusal(document(), "VSA50.json", "IE", year=2019).reason is Reason.CONTRADICTORY


@pytest.mark.parametrize("figure", [-1, 1.5, "many", True, [], {}, 2**31, 1e300])
def test_a_figure_that_is_no_count_is_named(figure: Any) -> None:
    error = refusal(document(value=[12, figure, None, 587, 9, 1, None, 1]), "VSA50.json", "IE")
    assert [problem.place for problem in error.problems] == [Figure(2)]
    assert str(error).startswith("VSA50.json, figure 2: expected a whole number")


def test_two_names_of_one_label_are_refused() -> None:
    twice = dimension(NAMES, index=["0001", "0002"], label={"0001": "Jack", "0002": "Jack"})
    error = refusal(document(dimension=twice), "VSA50.json", "IE")
    assert str(error) == "VSA50.json, figure 2: the same name and sex as in figure 1, for the same year"


DEEP = b'{"dimension": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (document(**{"class": "collection"}), "expected a dataset of JSON-stat 2.0"),
        (b'{"dataset": ' + document() + b"}", "expected a dataset of JSON-stat 2.0"),
        (document(id=["TLIST(A1)", NAMES]), "id and size: expected two lists of one length"),
        (document(id=[NAMES, NAMES, "STATISTIC"]), "id and size: expected two lists"),
        (document(size=[2, 2, -2]), "id and size: expected two lists"),
        (document(size=[2, True, 2]), "id and size: expected two lists"),
        (document(size=[2, 2, 3]), "dimension 3 of id: expected 3 categories by size"),
        (document(id=["STATISTIC", "TLIST(A1)", "other"]), "dimension 3 of id: expected it under dimension"),
        (document(dimension=[]), "dimension 1 of id: expected it under dimension"),
        (document(dimension=dimension(NAMES, index={"a": 0, "b": 0})), "each position from 0 once"),
        (document(dimension=dimension(NAMES, index={"a": 0, "b": "1"})), "each position from 0 once"),
        (document(dimension=dimension(NAMES, label={"a": "A", "b": "B"})), "expected category.index, which orders"),
        (document(dimension=dimension(NAMES, index=["a", "a"])), "expected 2 categories by size, each once"),
        (document(dimension=dimension(NAMES, index=["a", 5])), "expected 2 categories by size, each once"),
        (document(value=[1, 2, 3]), "value: expected 8 figures by size, found 3"),
        (document(value="12"), "value: expected a list or an object"),
        (document(value={"8": 1}), "value: expected positions from 0 to 7"),
        (document(value={"1": 1, "01": 2}), "value: expected positions from 0 to 7, each once"),
        (document(value={"²": 1}), "value: expected positions from 0 to 7"),
        (document()[:-20], "this is not JSON, or it is cut off"),
        (document() + b"x", "this is not JSON, or it is cut off"),
        (document().replace(b"656", b"NaN"), "NaN or Infinity"),
        (document().replace(b"656", b"6" * 5000), "more than 20 digits"),
        (document().replace(b'"version"', b'"class"'), "the same key twice"),
        (document().replace(b"Boys", b"Boy\xff"), "this is not UTF-8"),
        (DEEP, "nested too deep"),
        (b'{"dimension":' + b"[" * 20_001, "more than 20000 lists"),
        (b'{"dimension":[' + b"{}," * 20_001, "more than 20000 objects"),
        (b'{"dimension":[' + b'"",' * 1_000_001, "more than 2000000 quotes"),
        (b'{"dimension":[' + b"1," * 2_000_001, "more than 2000000 commas"),
        (b'{"dimension":' + b" " * BYTES_LIMIT, "more than 16 MiB"),
        (document().replace(b"in Ireland", b"in Northern Ireland"), "expected names by years by statistic"),
        (document().replace(b"Names in Ireland", b"Births in Wales"), "expected a table of Ireland"),
        (document().replace(b"Rank", b"Again"), "expected names by years by statistic, and births"),
        (document().replace(b'"Names"', b'"Places"'), "expected one dimension of the matrix to be the name"),
        (document(label="").replace(b"Boys", b"The"), "the file has no sex"),
    ],
)
def test_a_huge_deep_or_odd_document_is_refused(content: bytes, said: str) -> None:
    started = time.process_time()
    error = refusal(content, "VSA50.json", "IE")
    assert said in str(error)
    assert "Jack" not in str(error)
    assert time.process_time() - started < 5


def test_a_huge_sparse_matrix_costs_nothing() -> None:
    names = [f"{number:05}" for number in range(30_000)]
    large = {**dimension(NAMES, index=names), "TLIST(A1)": {"label": "Year", "category": {"index": ["2019", "2020"]}}}
    content = document(dimension=large, size=[2, 2, 30_000], value={"0": 7})
    started = time.process_time()
    assert "expected a name" in str(refusal(content, "VSA50.json", "IE"))
    assert time.process_time() - started < 5


def test_csv_has_a_line_for_each_figure() -> None:
    found = reported(CSO_CSV, "VSA50.csv", "IE")
    assert rows(CSO_CSV, "any.csv", "IE") == [(2023, "M", "Jack", 583)]
    assert found.left_out == {"ranks": 1, "suppressed or absent figures (no VALUE)": 1}
    assert (found.recognised, found.top) == ("ie-cso-csv", None)
    assert refusal(CSO_CSV, "VSA50.csv", "IE", sex="F").reason is Reason.CONTRADICTORY
    assert rows(CSO_CSV, "VSA50.csv", "IE", sex="M") == rows(CSO_CSV, "VSA50.csv", "IE")


def test_csv_before_2022_has_no_codes() -> None:
    title = "Girls Names in Ireland with 3 or More Occurrences"
    content = (
        '"Statistic","Year","Names","UNIT","VALUE"\r\n'
        f'"{title}","2020","Grace","Number","410"\r\n"{title} Rank","2020","Grace","Number","1"\r\n'
        f'"{title}","2019","Grace","Number",""\r\n'
    )
    assert rows(content, "VSA60.csv", "IE") == [(2020, "F", "Grace", 410)]
    foreign = content.replace("in Ireland", "in Northern Ireland")
    assert "no known format of IE" in str(refusal(foreign, "VSA60.csv", "IE"))


def test_csv_of_an_older_table_has_no_sex() -> None:
    older = CSO_CSV.replace("Boys Names in Ireland with 3 or More Occurrences", "Registered Births in Ireland").replace(
        "Boys Names Rank", "Rank of Name in Ireland"
    )
    assert refusal(older, "VSA10.csv", "IE").reason is Reason.INVALID_FILENAME
    assert rows(older, "VSA10.csv", "IE", sex="M") == [(2023, "M", "Jack", 583)]
    assert opened(older, "boys.csv", "IE").top == 100


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Boys Names Rank", "Deaths", "line 4: expected a statistic of births or of ranks in field 2"),
        ('"583"', '"5.83"', "line 2: expected a whole number"),
        (
            '"2023","2023","0001","Jack","Number","583"',
            '"23","23","0001","Jack","Number","583"',
            "line 2: expected a year",
        ),
        ('"Number","583"', '"583"', "line 2: expected 8 fields, found 7"),
        ("C03895V04646", "Names", "no known format of IE"),
        ("Statistic Label", "Label", "no known format of IE"),
    ],
)
def test_malformed_csv_is_refused_by_its_line(old: str, new: str, said: str) -> None:
    assert said in str(refusal(CSO_CSV.replace(old, new), "VSA50.csv", "IE"))


def test_a_matrix_of_another_country_is_not_irelands() -> None:
    content = PX.replace("in Ireland", "in Northern Ireland").encode("cp1252")
    assert "expected a table of Ireland" in str(refusal(content, "VSA10.px", "IE"))
