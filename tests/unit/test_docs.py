"""README.md and docs/ name only existing things: files, headings, settings, commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from docs.generate.command_line import help_texts

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
ABOUT_SETTINGS = [ROOT / "README.md", ROOT / "docs" / "from-the-old-worker.md", ROOT / "docs" / "operations.md"]
OTHER_VARIABLES = {
    "AFFIRM_TEST_POSTGRES", "AFFIRM_CHAOS_EXAMPLES", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "OWNER_DATABASE_URL",
    "API_DATABASE_URL",
}  # fmt: skip
"""Of the tests, of every program that downloads, and of the chart's Secret; besides these, AWS_* are boto3's."""

PROGRAM = {path.removeprefix("affirm-worker").strip() for path, _ in help_texts()} - {""}
GROUPS = {path.split()[0] for path in PROGRAM if " " in path}

FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
COMMAND = re.compile(
    r"(?:^|-- |&& |\| |[A-Z_]=\S* )affirm-worker +([a-z][a-z-]*)(?: +([a-z][a-z-]*)\b(?![./]))?", re.MULTILINE
)


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def prose(page: Path) -> str:
    """The page without its fenced blocks, in which nothing is a link or a heading."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def code(page: Path) -> Iterator[str]:
    """Text in backticks: spans, and the lines of fenced blocks."""
    yield from SPAN.findall(prose(page))
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        yield from (line.strip() for line in block.splitlines()[1:-1])


def anchors(page: Path) -> set[str]:
    """The headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def variables(page: Path) -> set[str]:
    return {variable for text in code(page) for variable in VARIABLE.findall(text)}


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Command and what follows it, if that is a word too."""
    yield from COMMAND.findall(text)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: no such file"
        assert target.is_relative_to(ROOT), f"{link}: leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


def test_every_image_is_there_small_described_and_shown() -> None:
    shown = set()
    for page in PAGES:
        for words, path in IMAGE.findall(prose(page)):
            file = (page.parent / path).resolve()
            assert file.stat().st_size <= 150_000, path
            assert len(words) > 20, f"{path}: say what it shows to whoever does not see it"
            shown.add(file)
    assert set((ROOT / "docs" / "images").iterdir()) <= shown


def test_every_path_in_the_page_about_the_architecture_exists() -> None:
    spans = SPAN.findall(prose(ARCHITECTURE))
    paths = [span for span in spans if "/" in span and re.fullmatch(r"[\w./-]+", span) and not span.startswith("/")]
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ABOUT_SETTINGS, ids=names(ABOUT_SETTINGS))
def test_every_variable_that_is_mentioned_is_a_setting(page: Path) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    mentioned = {variable for variable in variables(page) if not variable.startswith("AWS_")}
    assert "DATABASE_URL" in mentioned
    assert mentioned - settings - OTHER_VARIABLES == set()


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_command_that_is_mentioned_is_there(page: Path) -> None:
    for text in code(page):
        for command, word in commands(text):
            assert command in PROGRAM, text
            if command in GROUPS and word:
                assert f"{command} {word}" in PROGRAM, text


def test_the_readme_has_every_command_in_its_table() -> None:
    rows = re.findall(
        r"^\| `([a-z ]+)` \| .* \| `affirm-worker (.*)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert all(example.startswith(command) for command, example in rows)
    assert sorted(command for command, _ in rows) == sorted(PROGRAM - GROUPS)


def test_the_checks_see_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One & two\n\n`NO_SUCH_NAME=3 affirm-worker explode now`\n"
        "```sh\n# no heading\nx | affirm-worker jobs cry\n```\n"
    )
    assert anchors(page) == {"one--two"}
    assert variables(page) == {"NO_SUCH_NAME"}
    assert [one for text in code(page) for one in commands(text)] == [("explode", "now"), ("jobs", "cry")]


def test_queries_that_users_are_given_read_what_counts() -> None:
    """`names` has superseded rows too, and no country: the view `counted_names` is for people."""
    given = dict(help_texts())
    given |= {str(page.relative_to(ROOT)): "\n".join(code(page)) for page in PAGES}
    of_names = re.compile(r"\b(from|join)\s+(\w+\.)?names\b", re.IGNORECASE)
    assert [place for place, text in given.items() if of_names.search(text) and place != "docs/cli.md"] == []
