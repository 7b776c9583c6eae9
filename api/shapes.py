"""Response models made of the dataclasses that services return, so that the OpenAPI document follows those."""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from dataset_jobs.model.hints import Advice
from dataset_jobs.model.report import Report
from dataset_jobs.model.sentences import Sentence
from services.actions import Offer

OPEN = "One of {}; a newer version may give others."
"""What is said of an enumeration: clients must accept new words."""


def shape(name: str, about: str, view: type, leave_out: Sequence[str] = (), /, **more: Any) -> type[BaseModel]:
    """The model of a dataclass as `to_json` writes it.

    Args:
        name: of the model.
        about: a sentence for the document.
        view: the dataclass.
        leave_out: fields that the answer has in another form.
        more: further members, with their types.
    """
    hints = get_type_hints(view)
    hidden = {*getattr(view, "not_in_json", ()), *leave_out}
    fields = {one.name: written(hints[one.name]) for one in dataclasses.fields(view) if one.name not in hidden}
    if view is Advice or "hints" in hidden:
        fields["actions"] = list[ACTION]  # type: ignore[valid-type]
    return model(name, about, **{**fields, **more})


@cache
def model(name: str, about: str, /, **fields: Any) -> type[BaseModel]:
    """A model whose members are all there, whatever their values; the same one if it was made before."""
    required: dict[str, Any] = {field: (kind, ...) for field, kind in fields.items()}
    return create_model(name, __doc__=about, **required)


def written(kind: Any) -> Any:
    """The type of the JSON that `to_json` makes of a type."""
    if get_origin(kind) in (Union, UnionType):
        return Union[tuple(written(one) for one in get_args(kind))]  # noqa: UP007
    if _is_mapping(kind):
        return dict[str, Any]
    if get_origin(kind) in (list, tuple) or _is_sequence(kind):
        [item, *_] = get_args(kind) or (Any,)
        return list[written(item)]  # type: ignore[misc]
    return _of_class(kind) if isinstance(kind, type) else kind


def _is_mapping(kind: Any) -> bool:
    return kind is Report or (isinstance(origin := get_origin(kind) or kind, type) and issubclass(origin, Mapping))


def _is_sequence(kind: Any) -> bool:
    return isinstance(origin := get_origin(kind), type) and issubclass(origin, Sequence)


def _of_class(kind: type) -> Any:
    if kind is Sentence:
        return str
    if kind is Offer:
        return ACTION
    if issubclass(kind, IntEnum):
        return int
    if issubclass(kind, Enum):
        return open_words(*(str(one.value) for one in kind))
    return _nested(kind) if dataclasses.is_dataclass(kind) else kind


@cache
def _nested(kind: type) -> type[BaseModel]:
    return shape(kind.__name__, (kind.__doc__ or kind.__name__).splitlines()[0], kind)


def open_words(*words: str) -> Any:
    """A text that is one of these words, or one that a newer version knows."""
    return Annotated[str, Field(description=OPEN.format(", ".join(words)), examples=[words[0]])]


ACTION = shape(
    "Action", "Something that can be done about it: `method` and `href` are null if this API cannot do it.", Offer,
    method=str | None, href=str | None, body=dict[str, Any] | None,
)  # fmt: skip
"""An action as data: what a button or a link is made of."""
