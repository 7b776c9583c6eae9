"""What a form of a page says, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dataset_jobs.model.requests import InvalidRequest

LONGEST = 2_000
"""Characters of a field."""


async def _fields(request: Request) -> Mapping[str, str]:
    """The fields of a form; files are none."""
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Fields = Annotated[Mapping[str, str], Depends(_fields)]
"""A route's parameter: the fields of its form, the last one of each name."""


async def _lists(request: Request) -> Mapping[str, Sequence[str]]:
    async with request.form() as form:
        return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


Lists = Annotated[Mapping[str, Sequence[str]], Depends(_lists)]
"""A route's parameter: the fields of its form, all of each name."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, without its files."""

    said: Mapping[str, str]

    def text(self, name: str) -> str:
        """A field without the spaces around it; empty if it is not there.

        Raises:
            InvalidRequest: it is longer than anything that is asked for.
        """
        found = self.said.get(name, "").strip()
        if len(found) > LONGEST:
            raise InvalidRequest(f"{name}: expected at most {LONGEST:,} characters")
        return found

    def number(self, name: str, least: int = -32_768, most: int = 32_767) -> int | None:
        """A field that is a whole number between two, or empty; raises InvalidRequest for others."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = int(text)
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            raise InvalidRequest(f"{name}: expected a whole number from {least} to {most}")
        return found


def form_of(fields: Fields) -> Form:
    """The fields of a request's form."""
    return Form(fields)
