"""The tables of docs/metrics.md: `make docs` writes them from the code."""

import re

from api.metrics import ApiMetrics
from app.metrics import Described
from controller.metrics import Metrics
from docs.generate import DOCS

PAGE = DOCS / "metrics.md"
ALERTS = DOCS.parent / "charts" / "affirm-worker" / "files" / "alerts.yaml"
_ALERT = re.compile(r"# -- (?P<when>.+)\n +- alert: (?P<name>\w+)\n(?P<rest>(?:.+\n)+)")
_OF_ALERTS = re.compile(r"(<!-- alerts -->\n).*?(<!-- end of alerts -->)", re.DOTALL)
_BLOCK = re.compile(r"(<!-- (?P<name>shared|own|api) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str) -> str:
    """The page with its tables as the code has them now."""
    described = Metrics().described
    blocks = {
        "shared": [one for one in described if one.shared],
        "own": [one for one in described if not one.shared],
        "api": ApiMetrics().described,
    }

    def table(block: re.Match[str]) -> str:
        rows = [_row(one) for one in blocks[block["name"]]]
        return "\n".join([block[1].rstrip(), "| metric | type | labels | meaning |", "| --- | --- | --- | --- |", *rows,
            block[3]])  # fmt: skip

    def alerts(block: re.Match[str]) -> str:
        head = "| alert | severity | when |\n| --- | --- | --- |\n"
        return block[1] + head + "".join(map(_alert, _ALERT.finditer(ALERTS.read_text(encoding="utf-8")))) + block[2]

    return _OF_ALERTS.sub(alerts, _BLOCK.sub(table, page))


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.meaning} |"


def _alert(found: re.Match[str]) -> str:
    severity = found["rest"].partition("severity: ")[2].partition("}")[0]
    lasts = found["rest"].partition("for: ")[2].partition("\n")[0]
    how_long = f", for {lasts}" if lasts else ""
    name = found["name"]
    return f"| [`{name}`](runbooks.md#{name.lower()}) | {severity} | {found['when']}{how_long} |\n"


def page() -> str:
    """The document, from the code as it is now."""
    return rendered(PAGE.read_text(encoding="utf-8"))
