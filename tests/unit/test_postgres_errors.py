"""What Postgres and libpq say, in one line."""

import psycopg
import pytest

from dataset_jobs.postgres.postgres_errors import one_line


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "connection failed: Connection refused\n\tIs the server running on that host?\n",
            "connection failed: Connection refused. Is the server running on that host?",
        ),
        (
            "All failures were:\n- host: a: refused\n- host: b: refused",
            "All failures were: - host: a: refused. - host: b: refused",
        ),
        ("one  sentence", "one sentence"),
        ("", "OperationalError"),
    ],
)
def test_sentences_of_several_lines_stay_apart(said: str, line: str) -> None:
    assert one_line(psycopg.OperationalError(said)) == line
