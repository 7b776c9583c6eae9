"""Parsers of other packages that were written for version 0.1. This module goes in version 0.3."""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

from parser_runner.parsers.contract import AnyParser, Parsed
from parser_runner.parsers.source import Source


class FormerParser(Protocol):
    """The interface of version 0.1: `parse` has to look again for what `recognises` found."""

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
    """A parser with today's interface; one that was written for version 0.1 gets it from an adapter."""
    if hasattr(parser, "recognise"):
        found: AnyParser = parser
        return found
    message = f"{parser.name}: `recognises` and `parse(source)` are of version 0.1: see docs/adding-a-parser.md"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return _Adapter(parser, parser.name, parser.description)
