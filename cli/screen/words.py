"""Values as people read them: in cells of tables and in sentences."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from dataset_jobs.model.sentences import NOTHING, Sentence, written
from dataset_jobs.model.times import local_time

SHORT_ID = 8
"""Digits of an id in a table on a terminal: commands take them as well as the whole id."""


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if sys.stdout.isatty() else str(value)
    if isinstance(value, datetime):
        return local_time(value, "%Y-%m-%d %H:%M:%S %Z")
    return written(value)


def short(value: Any, whole_ids: bool = False) -> str:
    """A value in a table on a terminal: ids are their first digits, times have no zone, see `zone_of`.

    Today's times have no date.
    """
    if isinstance(value, UUID) and not whole_ids:
        return str(value)[:SHORT_ID]
    if isinstance(value, datetime):
        if whole_ids:
            return local_time(value, "%Y-%m-%d %H:%M:%S")
        today = local_time(value, "%Y-%m-%d") == datetime.now().strftime("%Y-%m-%d")
        return local_time(value, "%H:%M:%S" if today else "%Y-%m-%d %H:%M")
    return cell(value)


def zone_of(values: Sequence[Any]) -> str:
    """The zone of a column of times; empty if it has none. Each summer's times are in the zone of the first one."""
    first = next((value for value in values if isinstance(value, datetime)), None)
    return "" if first is None else local_time(first, "%Z")


def in_words(sentence: Sentence) -> str:
    """A sentence with its times by this machine's clock."""
    return sentence.said(cell)
