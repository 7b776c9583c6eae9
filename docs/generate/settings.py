"""docs/settings.md, from the settings."""

from app.settings import Settings, allowed, default_in_words
from docs.generate import DOCS

PAGE = DOCS / "settings.md"


def page() -> str:
    """The table of settings."""
    rows = [
        "| variable | default | allowed | purpose |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{name.upper()}` | {default_in_words(field)} | {allowed(field)} | {field.description} |"
            for name, field in Settings.model_fields.items()
        ),
    ]
    return f"# Settings\n\n{INTRODUCTION}\n\n" + "\n".join(rows) + "\n"


INTRODUCTION = """\
Settings are environment variables; an empty one counts as unset. Every command checks them when it starts. It refuses a
wrong one with exit code 78, and shows its name, its value and the allowed values, but never a password. Durations are
numbers with units: `500ms`, `5s`, `1m30s`, `2h`, `7d`.

boto3 finds S3 credentials, region and profile: an IAM role, or the `AWS_*` variables.

`make docs` writes this page from the code."""
