"""docs/settings.md, from the settings."""

from datetime import timedelta

from pydantic.fields import FieldInfo

from app.settings import Settings, allowed
from dataset_jobs.model.durations import format_duration
from docs.generate import DOCS

PAGE = DOCS / "settings.md"


def page() -> str:
    """The table of settings."""
    rows = [
        "| variable | default | allowed | what it is for |",
        "| --- | --- | --- | --- |",
        *(f"| `{name.upper()}` | {_default(field)} | {allowed(field)} | {field.description} |" for name, field in
          Settings.model_fields.items()),
    ]  # fmt: skip
    return f"# Settings\n\n{INTRODUCTION}\n\n" + "\n".join(rows) + "\n"


INTRODUCTION = """\
Environment variables; an empty one is as good as none. They are checked when a command starts, and a wrong one is
refused by its name, its value and what is allowed (exit code 78). A password is never shown. Durations are numbers
with units: `500ms`, `5s`, `1m30s`, `2h`, `7d`.

S3 credentials, region and profile are what boto3 finds: an IAM role, or the `AWS_*` variables.

This page is made from the code: `make docs`."""


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    if extra["shown"] is not None:
        return str(extra["shown"])
    value = field.default
    if isinstance(value, timedelta):
        return format_duration(value)
    return "" if value is None else str(value)
