"""docs/api.md: the commands over the API do what stands there."""

import re
import shlex

from tests.integration.command_line import ROOT
from tests.remote.conftest import BothWays

PAGE = ROOT / "docs/api.md"


def test_every_command_over_the_api_works(both: BothWays) -> None:
    section = PAGE.read_text().partition("## The command line over the API\n")[2]
    lines = re.findall(r"(?m)^affirm-worker (.*)$", section)
    assert len(lines) > 3
    names = both.world.folder / "names"
    names.mkdir()
    (names / "yob2020.txt").write_text("Mary,F,7\n")
    for line in lines:
        both.remote(*shlex.split(line))
