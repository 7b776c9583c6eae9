"""For authors of parsers: checks a parser against the contract, with a real file. See docs/adding-a-parser.md."""

import contextlib
import io
import random
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.file_hints import FileHints
from parser_runner.parsers.broken_record import BrokenSource
from parser_runner.parsers.contract import AnyParser, Parsed, Row
from parser_runner.parsers.former import FormerParser, adapted
from parser_runner.parsers.source import Source
from parser_runner.parsers.start import start
from parser_runner.parsers.values import COUNT_LIMIT, FIRST_YEAR, has_letter, this_year

_FOREIGN: tuple[bytes, ...] = (
    b"",
    b"\n" * 100,
    bytes(range(256)) * 16,
    b"a,b,c\n1,2,3\n",
    "Šime;Živko\n".encode("utf-16"),
    b"PK\x03\x04" + bytes(100),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    b"<html></html>",
    b"A" * 200_000,
)
_PIECES = (
    b"", b"\0", b"\n", b"\r\n", b"\r", b",", b";", b'"', b"\t", b"=", b" ", b"-1", b"0", b"1e9", b"99999999999", b"2.5",
    b"..", b"-", b"TOTAL", b"XXXX", "é".encode(), "e\u0301".encode(), "\u202e".encode(), b"\xff", b"\xc3", b"NaN",
    b"\xef\xbb\xbf", "٣".encode(), b"<v>7</v>", b"</row>", b"t=\"s\"", b"x" * 300,
)  # fmt: skip


def check_parser(
    parser: AnyParser | FormerParser,
    path: Path,
    year: int | None = None,
    sex: str | None = None,
    *,
    region: str | None = None,
    mutations: int = 200,
) -> None:
    """Checks a parser with a real file of its publisher.

    Args:
        parser: the parser to check.
        path: of a file that it reads.
        year, sex: hints, if the file's name lost them.
        region: the hint, for a format of several regions.
        mutations: how many changed copies of the file to try; one of a workbook takes a twentieth of a second.

    Raises:
        AssertionError: says how the parser breaks the contract.
    """
    content = path.read_bytes()
    hints = FileHints(year=year, sex=sex, region=region)

    def source(data: bytes, name: str = path.name) -> Source:
        return Source(name, io.BytesIO(data), hints)

    parser = adapted(parser)
    _check_what_it_says(parser)
    assert _match(parser, source(content)) is not None, "the file is not recognised"
    assert _match(parser, source(content, "submitted")) is not None, "the file is recognised by its name only"
    for foreign in _FOREIGN:
        assert not _recognised(parser, source(foreign)), f"{foreign[:20]!r}… is recognised, too"
    first = source(content)
    parsed, rows = _read(parser, first)
    assert rows, "the file has no rows"
    _check_parsed(parser, parsed)
    check_rows(rows, first.limits.name_chars)
    keys = {(row.year, row.gender, row.name) for row in rows}
    assert len(keys) == len(rows), "the same name comes twice in one year and sex"
    assert _read(parser, source(content))[1] == rows, "the file gives other rows when it is read again"
    broken = BrokenSource(path.name, content, hints, rows[len(rows) // 2].place)
    _check_broken_record(parser, broken, first.findings.skipped.total())
    names = {row.name for row in rows if len(row.name) > 3 and row.name not in path.name}
    for seed in range(mutations):
        check_input(parser, source(mutated(content, random.Random(seed))), names)


def check_rows(rows: Iterable[Row], name_limit: int = 100) -> None:
    """Checks that each row can be loaded.

    Raises:
        AssertionError: says which row cannot, and why.
    """
    for row in rows:
        year, sex, name, count, _ = row
        assert FIRST_YEAR <= year <= this_year(), f"{row}: no such year"
        assert sex in ("F", "M"), f"{row}: no such sex"
        assert 1 <= count <= COUNT_LIMIT, f"{row}: no such count"
        assert 1 <= len(name) <= name_limit, f"{row}: the name is too long, or empty"
        assert name == " ".join(unicodedata.normalize("NFC", name).split()), f"{row}: the name is not in normal form"
        assert name.isprintable() and has_letter(name), f"{row}: this is no name"


def check_input(parser: AnyParser, source: Source, names: Iterable[str] = ()) -> bool:
    """Checks that any input gives rows or a refusal, and that a refusal does not quote the file.

    Args:
        parser: the parser to check.
        source: any input at all.
        names: in the file.

    Returns:
        Whether the file gave rows.

    Raises:
        AssertionError, or any other error of the parser.
    """
    try:
        match = _match(parser, source)
        if match is None:
            return False
        check_rows(start(parser, source, match).rows, source.limits.name_chars)
    except Rejected as error:
        said = "\n".join([str(error), *map(str, error.problems)]).replace(parser.description, "")
        quoted = [name for name in names if re.search(rf"\b{re.escape(name)}\b", said)]
        assert not quoted, f"an error quotes the file: {said}"
        return False
    finally:
        source.close()
    return True


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A changed copy. In an archive or .xlsx workbook, mostly one member is changed."""
    if content[:4] != b"PK\x03\x04" or chance.random() < 0.2:
        return _changed(content, chance)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    # Most members of a workbook are no sheets.
    worth = [10 if "sheet" in name.lower() or not name.endswith(".xml") else 1 for name, _ in members]
    (chosen,) = chance.choices(range(len(members)), worth)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, (name, member) in enumerate(members):
            archive.writestr(name, _changed(member, chance) if index == chosen else member)
    return changed.getvalue()


def _changed(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        content = chance.choice((_piece, _line, _cut, _byte))(content, chance)
    return content


def _piece(content: bytes, chance: random.Random) -> bytes:
    """Puts something odd in place of some bytes."""
    at = chance.randint(0, len(content))
    return content[:at] + chance.choice(_PIECES) + content[at + chance.choice((0, 1, 1, 3, 10)) :]


def _byte(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + bytes([chance.randint(0, 255)]) + content[at + 1 :]


def _line(content: bytes, chance: random.Random) -> bytes:
    """Doubles, removes or moves a line."""
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    line = lines[chance.randrange(len(lines))]
    if chance.random() < 0.5:
        lines.remove(line)
    if chance.random() < 0.6:
        lines.insert(chance.randint(0, len(lines)), line)
    return b"".join(lines)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randint(0, len(content))] if chance.random() < 0.3 else content


def _check_what_it_says(parser: AnyParser) -> None:
    assert re.fullmatch(r"[a-z]{2}-[a-z0-9-]+", parser.name), (
        f"name: expected something like xx-office, not {parser.name!r}"
    )
    assert parser.description.strip(), "description: expected what a person should expect the file to look like"


def _read(parser: AnyParser, source: Source) -> tuple[Parsed, list[Row]]:
    try:
        parsed = start(parser, source, _match(parser, source))
        return parsed, [*parsed.rows]
    except Rejected as error:
        raise AssertionError(f"the file is refused: {error}") from error


def _check_broken_record(parser: AnyParser, broken: Source, skipped: int) -> None:
    """The parser refuses the file for the broken record, or counts the record as left out."""
    try:
        with contextlib.closing(broken):
            match = _match(parser, broken)
            if match is None:
                return
            for _ in start(parser, broken, match).rows:
                pass
    except Rejected:
        return
    assert broken.findings.skipped.total() > skipped, (
        "a broken record in the middle is passed over: expected source.problem() or source.skip()"
    )


def _check_parsed(parser: AnyParser, parsed: Parsed) -> None:
    assert parsed.parser == parser.name, "the name of the format is not the parser's"
    assert parsed.measure in ("births", "population"), f"measure: no such one, {parsed.measure!r}"
    assert parsed.region is None or re.fullmatch(r"[A-Z]{2}-[A-Z0-9-]+", parsed.region), (
        "region: expected one as XX-YYY"
    )
    assert parsed.top is None or parsed.top > 0, "top: expected a positive number or None"


def _match(parser: AnyParser, source: Source) -> Any:
    match = parser.recognise(source)
    source.rewind()
    return match


def _recognised(parser: AnyParser, source: Source) -> bool:
    try:
        return _match(parser, source) is not None
    except Rejected:
        # Damaged.
        return False
    finally:
        source.close()
