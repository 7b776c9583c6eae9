"""The tables of docs/metrics.md: `make docs` writes them from the code."""

import re

from controller.metrics import Described, Metrics
from docs.generate import DOCS

PAGE = DOCS / "metrics.md"
_BLOCK = re.compile(r"(<!-- (?P<name>shared|own) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str) -> str:
    """The page with its tables as the code has them now."""
    described = Metrics().described

    def table(block: re.Match[str]) -> str:
        rows = [_row(one) for one in described if one.shared == (block["name"] == "shared")]
        return "\n".join([block[1].rstrip(), "| metric | type | labels | meaning |", "| --- | --- | --- | --- |", *rows,
            block[3]])  # fmt: skip

    return _BLOCK.sub(table, page)


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.meaning} |"


def page() -> str:
    """The document, from the code as it is now."""
    return rendered(PAGE.read_text(encoding="utf-8"))
