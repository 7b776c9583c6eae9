"""Small lines: where nothing is known there is a gap, and the words say the same."""

import pytest

from dashboard.views.sparks import HEIGHT, WIDTH, spark_of
from dataset_jobs.model.sentences import written


def points(line: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (one.split(",") for one in line.split())]


def test_a_line_goes_from_the_oldest_value_to_the_newest() -> None:
    spark = spark_of([0, 5, 10])
    assert spark is not None
    [line] = spark.lines
    assert points(line) == [(0, HEIGHT - 1), (WIDTH / 2, HEIGHT / 2), (WIDTH, 1)]
    assert str(written(spark.sentence)) == "at most 10 queued within 3 hours, 10 at last"


def test_where_nothing_is_known_there_is_a_gap() -> None:
    spark = spark_of([None, 3, None, 2, 1, None])
    assert spark is not None
    assert [len(points(line)) for line in spark.lines] == [2, 2]
    assert spark_of([]) is None and spark_of([None, None]) is None


@pytest.mark.parametrize("values", [[0], [7], [0, 0, 0]])
def test_one_value_or_none_queued_is_a_line_too(values: list[float]) -> None:
    spark = spark_of(values)
    assert spark is not None
    assert all(0 <= y <= HEIGHT for line in spark.lines for _, y in points(line))
