"""docs/chart-values.md: one row for each `# --` comment in the chart's values.yaml."""

import json
import re
from typing import Any

import yaml

from docs.generate import DOCS

PAGE = DOCS / "chart-values.md"
CHART = DOCS.parent / "charts" / "affirm-worker"
_KEY = re.compile(r"^(?P<indent> *)(?P<name>[A-Za-z0-9]+):")
_HEAD = """# Values of the chart

`make docs` writes this page from the comments of `charts/affirm-worker/values.yaml`; a test compares the two. The chart
refuses values that are not in this table.

"""
_TABLE = """| value | default | meaning |
| --- | --- | --- |
"""


def documented(text: str) -> dict[str, str]:
    """Each documented key, as a path with dots, and its description.

    Args:
        text: of a values.yaml that is indented by two spaces.
    """
    found: dict[str, str] = {}
    path: list[str] = []
    words: list[str] = []
    for line in text.splitlines():
        comment = line.strip().removeprefix("#").strip()
        if line.strip().startswith("# -- "):
            words = [comment.removeprefix("-- ")]
        elif line.strip().startswith("#") and words:
            words.append(comment)
        elif match := _KEY.match(line):
            path = [*path[: len(match["indent"]) // 2], match["name"]]
            if words:
                found[".".join(path)] = " ".join(words)
            words = []
    return found


def default(values: dict[str, Any], path: str) -> Any:
    """The default at a path with dots."""
    node: Any = values
    for name in path.split("."):
        node = node[name]
    return node


def table() -> str:
    """A row of Markdown for each value, below its heading."""
    text = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    return _TABLE + "".join(
        f"| `{path}` | `{json.dumps(default(values, path))}` | {words} |\n" for path, words in documented(text).items()
    )


def page() -> str:
    """The whole page as Markdown."""
    return _HEAD + table()
