"""Adapter for parsers of other packages with the former interface. To be deleted in the next version."""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

from parser_runner.parsers.contract import AnyParser, Parsed
from parser_runner.parsers.source import Source


class FormerParser(Protocol):
    """The former interface: `recognises` keeps its findings, and `parse` has to search again."""

    name: str
    description: str

    def recognises(self, source: Source) -> bool:
        """Whether the file is of this format."""

    def parse(self, source: Source) -> Parsed:
        """Starts reading."""


@dataclass(frozen=True)
class _Adapter:
    parser: FormerParser
    name: str
    description: str

    def recognise(self, source: Source) -> bool | None:
        return self.parser.recognises(source) or None

    def parse(self, source: Source, match: bool) -> Parsed:
        return self.parser.parse(source)


def adapted(parser: Any) -> AnyParser:
    """A parser with today's interface, through an adapter if it has only the former one."""
    if hasattr(parser, "recognise"):
        found: AnyParser = parser
        return found
    message = f"{parser.name}: `recognises` and `parse(source)` are the former interface: see docs/adding-a-parser.md"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return _Adapter(parser, parser.name, parser.description)
