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

`affirm-worker settings` shows every setting, its value, and where that comes from; `affirm-worker settings NAME`
explains one. If a variable's name is nearly that of a setting, a line on stderr says so:
`DATABSE_URL is not a setting; did you mean DATABASE_URL?` So does every command that works on the embedded database
because nothing names another one.

boto3 finds S3 credentials, region and profile: an IAM role, or the `AWS_*` variables.

`make docs` writes this page from the code.

## Contexts: several databases

A config file can hold settings under a name, each by the small letters of its variable:

```toml
current = "laptop"

[contexts.laptop]
affirm_worker_home = "~/names"

[contexts.prod]
database_url = {command = ["pass", "show", "names/prod"]}
storage_type = "s3"
storage_s3_bucket = "names"
```

The file is `~/.config/affirm-worker/config.toml`, or `$XDG_CONFIG_HOME/affirm-worker/config.toml`.
`AFFIRM_WORKER_CONFIG` names another one. Only one context is in use:

1. the one of `--context NAME`, before or after the command;
2. else the one of `AFFIRM_WORKER_CONTEXT`;
3. else the one of the line `current`, which `affirm-worker context use NAME` writes.

On a terminal each command then names the database of the context on stderr, since nothing on the screen would.

`affirm-worker context list`, `show`, `add` and `remove` do the rest. They change the lines in question and leave your
comments alone; two of them at once, or a crash, leave the file whole.

Each environment variable wins over the same setting of the context. If the environment names a database
(`DATABASE_URL`), then `runner_database_url`, `database_direct_url` and `database_schema` of the context do not count:
they belong to another database. If it names a storage (`STORAGE_TYPE`, `STORAGE_PATH` or `STORAGE_S3_BUCKET`), then
no `storage_…` of the context counts. With `--context` a line on stderr says what the environment overrides.

A value can be a command, which prints it as its only line, or a file that has nothing else in it:
`{command = ["pass", "show", "x"]}`, `{file = "~/.secret"}`. A relative path starts at the folder of the config file. A
command may take 60 seconds, and is only run if the value is needed: not by `parse`, by `context list`, or if the
environment has the setting. Its output is never shown. At a terminal it can ask you for a password. If the config file
itself holds a password and others can read it, each command warns; if everybody can write it, no command of it is run.

Wrong values are named with file and line, and so is every key that nothing knows. Pods read no config file: the image
of the controller sets `AFFIRM_WORKER_CONFIG=/dev/null`, and the runner cannot read one at all.

## All settings"""
