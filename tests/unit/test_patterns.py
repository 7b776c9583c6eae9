"""Every regular expression takes a time that grows with the text, not with its square.

Files, names of files and answers of servers come from strangers. The patterns are found in the sources, so a new one is
tried too; each is fed with the letters of its own that cost it most.
"""

import ast
import builtins
import itertools
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as grammar  # type: ignore[import-not-found]
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("parser_runner", "dataset_jobs", "services")
NO_MODULES = ("__main__", "workbook_reader")
"""These are programs."""
USES = {"compile", "match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"}
NAME_CHARS = 100
LETTERS_TRIED = 10
WORST_TRIED = 3

RATIO = 3.0
"""The text is doubled: a pattern that goes over it once takes 2 times as long, one that does so for each letter 4."""
NOTICEABLE_SECONDS = 0.001
TRIES = 9
SIZES = (32 * 1024, 64 * 1024, 128 * 1024)

CERTAIN_SECONDS = 0.3
"""No other program explains that much."""

AnyPattern = re.Pattern[Any]


class Used(NamedTuple):
    """A pattern, and how it is used: for a whole text or for a search in it."""

    pattern: AnyPattern
    searches: bool


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        text = path.read_text()
        if re.search(r"\bre\.", text) and path.stem not in NO_MODULES:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield import_module(name), ast.parse(text)


def uses(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls of `re` that take a pattern."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=attr)) if attr in USES:
                yield node


def pattern_of(module: ModuleType, call: ast.Call) -> AnyPattern | None:
    """The pattern of one use: with the names of its module, and a plain word for each name of a function.

    None if its function makes no pattern of that; then a parser keeps what it makes.
    """

    def evaluated(node: ast.expr) -> Any:
        inner = {name.id: "word" for name in ast.walk(node) if isinstance(name, ast.Name)}
        names = {**inner, **vars(builtins), "name_chars": NAME_CHARS, **vars(module)}
        return eval(compile(ast.Expression(node), module.__name__, "eval"), names)

    flags = [*call.args[1:], *(word.value for word in call.keywords if word.arg == "flags")]
    is_compiled = isinstance(call.func, ast.Attribute) and call.func.attr == "compile"
    try:
        return re.compile(evaluated(call.args[0]), evaluated(flags[0]) if is_compiled and flags else 0)
    except (KeyError, TypeError):
        return None


def attributes_of(module: ModuleType) -> Iterator[tuple[str, AnyPattern]]:
    """The patterns that a module keeps, in a mapping too, with the attributes' names."""
    for name, value in vars(module).items():
        for one in value.values() if isinstance(value, dict) else (value,):
            if isinstance(one, re.Pattern):
                yield name, one
    for parser in getattr(module, "PARSERS", ()):
        if (word := getattr(parser, "named", None)) is not None:
            yield "word", word


def methods_by_name(trees: Iterable[ast.Module]) -> dict[str, set[str]]:
    """For each name the methods of patterns that are called on it."""
    found: dict[str, set[str]] = {}
    for node in itertools.chain.from_iterable(map(ast.walk, trees)):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in USES:
                found.setdefault(name, set()).add(attr)
    return found


def all_patterns() -> dict[str, Used]:
    found: dict[str, Used] = {}
    parsed = [*modules()]
    methods = methods_by_name(tree for _, tree in parsed)
    for module, tree in parsed:
        of_module = {pattern: methods.get(name, USES) for name, pattern in attributes_of(module)}
        for call in uses(tree):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if (pattern := pattern_of(module, call)) is not None:
                of_module.setdefault(pattern, USES if method == "compile" else {method})
        for number, (pattern, used) in enumerate(of_module.items(), 1):
            found[f"{module.__name__} {number}"] = Used(pattern, searches=not used <= {"match", "fullmatch"})
    return found


PATTERNS = all_patterns()


def letters_of(tree: Any) -> Iterator[str]:
    """Letters that the pattern names, and one of each kind that it names."""
    kinds = {codes.CATEGORY_DIGIT: "1", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a"}
    for code, value in tree:
        match code:
            case codes.LITERAL | codes.NOT_LITERAL:
                yield chr(value)
                yield "x"
            case codes.ANY:
                yield "x"
            case codes.RANGE:
                yield chr(value[0])
            case codes.CATEGORY:
                yield kinds.get(value, ".")
            case codes.IN:
                yield from letters_of(value)
            case codes.BRANCH:
                yield from itertools.chain.from_iterable(map(letters_of, value[1]))
            case codes.MAX_REPEAT | codes.MIN_REPEAT | codes.POSSESSIVE_REPEAT:
                yield from letters_of(value[2])
            case codes.SUBPATTERN:
                yield from letters_of(value[3])
            case codes.ASSERT | codes.ASSERT_NOT:
                yield from letters_of(value[1])


def word_of(tree: Any) -> str:
    """A text that begins as a match does, mostly with one more of everything that may be repeated."""
    parts = []
    for code, value in tree:
        match code:
            case codes.BRANCH:
                parts.append(word_of(value[1][0]))
            case codes.MAX_REPEAT | codes.MIN_REPEAT | codes.POSSESSIVE_REPEAT:
                parts.append(word_of(value[2]) * max(1, value[0]))
            case codes.SUBPATTERN:
                parts.append(word_of(value[3]))
            case codes.ASSERT | codes.ASSERT_NOT | codes.AT | codes.GROUPREF:
                pass
            case _:
                parts.append(next(letters_of([(code, value)]), ""))
    return "".join(parts)


def pieces_of(pattern: AnyPattern) -> list[str]:
    """Texts to repeat: the pattern's letters alone and in pairs, and the beginnings of a match."""
    tree = grammar.parse(pattern.pattern, pattern.flags)
    letters = [*dict.fromkeys(letters_of(tree)), "?"][:LETTERS_TRIED]
    word = word_of(tree)
    beginnings = [word[:end] for end in {len(word), len(word) // 2, len(word) - 1} if end > 0]
    return [*letters, *map("".join, itertools.permutations(letters, 2)), *beginnings]


def seconds(used: Used, piece: str, size: int) -> float:
    """CPU time of a whole match, and of a search, in a text of `size` letters."""
    # The last letter keeps a pattern from a match up to the end.
    text: Any = (piece * (size // len(piece) + 1))[:size] + "?"
    if isinstance(used.pattern.pattern, bytes):
        text = text.encode("latin-1", "replace")
    began = time.process_time()
    used.pattern.fullmatch(text)
    if used.searches:
        used.pattern.findall(text)
    return time.process_time() - began


def grows(used: Used, piece: str) -> bool:
    """Whether every doubling of the text costs far more than twice as much.

    The least of several tries counts, since other programs disturb; and what disturbs a few milliseconds is small
    beside the seconds that a longer text would take.
    """
    least: dict[int, float] = {}
    for _ in range(TRIES):
        for size in SIZES:
            least[size] = min(least.get(size, CERTAIN_SECONDS), seconds(used, piece, size))
            if least[size] >= CERTAIN_SECONDS:
                return True
        if any(least[long] < max(NOTICEABLE_SECONDS, RATIO * least[short]) for short, long in pairwise(SIZES)):
            return False
    return True


def dear_piece(used: Used) -> str | None:
    """A piece that is slow for twice the text, or None.

    The first texts are short and grow slowly, since a pattern may be exponential.
    """
    pieces = pieces_of(used.pattern)
    for size in range(4, 40, 4):
        for piece in pieces:
            if seconds(used, piece, size) > CERTAIN_SECONDS / 10:
                return piece
    worst = sorted(pieces, key=lambda piece: seconds(used, piece, 256))[-WORST_TRIED:]
    for piece in reversed(worst):
        if any(seconds(used, piece, size) > CERTAIN_SECONDS for size in (1024, 4 * 1024, 16 * 1024)):
            return piece
        if grows(used, piece):
            return piece
    return None


def test_the_patterns_are_found_in_the_sources() -> None:
    sources = {used.pattern.pattern for used in PATTERNS.values()}
    assert len(sources) > 25
    assert r"(?<!\d)(\d{4})(?!\d)" in sources, "of a module"
    assert r"[0-9a-f]{4,32}" in sources, "of a call"
    assert any("{0,99}" in str(source) and "[FM]" in str(source) for source in sources), "of a cached function"
    assert any("leipzig" in str(source).casefold() for source in sources), "of a mapping"


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_twice_as_long_for_twice_the_text(name: str) -> None:
    piece = dear_piece(PATTERNS[name])
    assert piece is None, f"{PATTERNS[name].pattern.pattern!r} is slow for {piece!r} repeated"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<=[^\W\d])\s*(?:\[[^\]]*\]|\d{1,2}(?:,\d{1,2})*)$",
        r"\s+$",
        r"<[^>]*>",
        r"(a+)+b",
    ],
)
def test_a_pattern_that_backtracks_is_found(pattern: str) -> None:
    assert dear_piece(Used(re.compile(pattern), searches=True)) is not None


@pytest.mark.parametrize("pattern", [r"\s+", r"<[^>]*>", r"([0-9]+),([a-z]+)"])
def test_a_whole_match_may_go_over_the_text_once(pattern: str) -> None:
    assert dear_piece(Used(re.compile(pattern), searches=False)) is None
