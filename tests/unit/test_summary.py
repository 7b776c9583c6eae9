"""What `load` says at the end."""

import pytest

from cli.wording.summary import Summary, print_summary
from services.jobs import Others

NO_DATABASE = "nowhere"
"""For what is not loaded it is not named."""


@pytest.mark.parametrize("others_wait", [False, True])
def test_what_is_done_is_not_to_be_gone_on_with(capsys: pytest.CaptureFixture[str], others_wait: bool) -> None:
    """The interrupt may come at the very end."""
    summary = Summary(1, 1, 0, (), 7, 1.0, interrupted=True, others=Others(), others_wait=others_wait)
    print_summary(summary, NO_DATABASE, as_json=False)
    assert ("interrupted; to go on" in capsys.readouterr().out) is others_wait
    assert summary.exit_code == 130


def test_the_database_that_the_environment_names_is_needed_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db/names")
    summary = Summary(1, 0, 0, (), 0, 1.0, interrupted=True, others=Others(), others_wait=True)
    print_summary(summary, NO_DATABASE, as_json=False)
    said = capsys.readouterr().out
    assert "to go on, with the same DATABASE_URL: " in said
    assert "secret" not in said
