"""Models made of dataclasses."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pytest

from api.accept import chosen
from api.problems import Problem
from api.shapes import shape
from dataset_jobs.model.hints import Advice
from dataset_jobs.model.sentences import Sentence


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Thing:
    """A thing."""

    name: str
    colour: Colour
    at: datetime | None
    text: Sentence
    parts: tuple["Part", ...]
    advice: Advice


@dataclass
class Part:
    """A part."""

    size: float | None


def test_a_model_has_what_the_dataclass_has() -> None:
    schema = shape("Thing", "A thing.", Thing, link=str).model_json_schema()
    assert schema["required"] == ["name", "colour", "at", "text", "parts", "advice", "link"]
    properties = schema["properties"]
    assert properties["text"]["type"] == "string"
    assert properties["at"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert properties["parts"]["items"] == {"$ref": "#/$defs/Part"}
    assert schema["$defs"]["Advice"]["required"] == ["text", "hints", "actions"]


def test_enumerations_are_open() -> None:
    colour = shape("Thing", "A thing.", Thing).model_json_schema()["properties"]["colour"]
    assert "enum" not in colour
    assert colour["description"] == "One of red, blue; a newer version may give others."


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "a/x"),
        ("*/*", "a/x"),
        ("b/*", "b/y"),
        ("a/x;q=0.1, b/y;q=0.2", "b/y"),
        ("*/*;q=0.1, b/y", "b/y"),
        ("a/x;q=0, */*;q=0.1", "b/y"),
        ("A/X", "a/x"),
        ("a/x;q=oops, b/y;q=0.1", "b/y"),
        (",,;", None),
        ("c/z", None),
    ],
)
def test_the_best_form_is_chosen(accept: str, kind: str | None) -> None:
    if kind is None:
        with pytest.raises(Problem):
            chosen(accept, ("a/x", "b/y"))
    else:
        assert chosen(accept, ("a/x", "b/y")) == kind
