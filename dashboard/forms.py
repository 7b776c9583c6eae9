"""What forms of pages send."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Request


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
