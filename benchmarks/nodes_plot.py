"""Jobs, runs and nodes over time, as a plot: `make bench-nodes` writes it beside its figures."""

from collections.abc import Mapping, Sequence

from benchmarks.nodes_timeline import Look

TITLES = {
    "follow": "nodes come for a queue, and go",
    "disrupt": "nodes that are nearly empty: Karpenter moves runs together",
    "take": "every machine is taken away under its runs",
}
COLOURS = {"waiting": "#8a6d3b", "pending": "#c98a1b", "running": "#2f6fab", "ordered": "#999999", "ready": "#c0392b"}
_LEGEND = {
    "waiting": "jobs in the queue",
    "pending": "runs whose pod waits",
    "running": "runs at work",
    "ordered": "machines ordered",
    "ready": "nodes ready",
}
_JOBS, _MACHINES = ("waiting", "pending", "running"), ("ordered", "ready")
WIDTH, LEFT, RIGHT, TOP = 960, 44, 24, 40
HIGH, LOW, GAP, BETWEEN = 130, 70, 26, 44


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#333") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def line(looks: Sequence[Look], what: str, bottom: float, height: float, most: float) -> str:
    """A line of steps, with a point at each change.

    Args:
        looks: in the order of time.
        what: the field of a look.
        bottom, height: where 0 is, and how far above it `most` is.
        most: the value at the top.
    """
    end = looks[-1].at or 1.0
    parts: list[str] = []
    last: int | None = None
    for look in looks:
        value: int = getattr(look, what)
        if value != last:
            x, y = LEFT + (WIDTH - LEFT - RIGHT) * max(look.at, 0) / end, bottom - height * value / most
            parts.append(f"M{x:.1f} {y:.1f}" if last is None else f"H{x:.1f}V{y:.1f}")
            last = value
    parts.append(f"H{WIDTH - RIGHT}")
    return f'<path d="{"".join(parts)}" fill="none" stroke="{COLOURS[what]}" stroke-width="1.5"/>'


def marks(most: float) -> list[int]:
    """About four round values from 0 up."""
    step = next(base * 10**power for power in range(9) for base in (1, 2, 5) if most / (base * 10**power) <= 4)
    return [*range(0, int(most) + 1, step)]


def _graph(looks: Sequence[Look], fields: Sequence[str], bottom: float, height: float) -> list[str]:
    most = max(max(getattr(look, what) for look in looks) for what in fields) or 1
    lines = []
    for mark in marks(most):
        y = bottom - height * mark / most
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        lines.append(_text(LEFT - 6, y + 4, str(mark), "end"))
    return lines + [line(looks, what, bottom, height, most) for what in fields]


def _panel(title: str, looks: Sequence[Look], top: float) -> tuple[list[str], float]:
    first = top + 14 + HIGH
    second = first + GAP + LOW
    lines = [_text(LEFT, top, f'<tspan font-weight="bold">{title}</tspan>')]
    lines += _graph(looks, _JOBS, first, HIGH) + _graph(looks, _MACHINES, second, LOW)
    end = looks[-1].at or 1.0
    for mark in marks(end):
        lines.append(_text(LEFT + (WIDTH - LEFT - RIGHT) * mark / end, second + 16, f"{mark} s", "middle"))
    return lines, second + 16


def svg(panels: Mapping[str, Sequence[Look]]) -> str:
    """The plot, a panel for each title."""
    lines, x = [], float(LEFT)
    for what, text in _LEGEND.items():
        lines.append(_text(x, 18, text, colour=COLOURS[what]))
        x += 8 * len(text) + 16
    bottom: float = TOP - BETWEEN + 6
    for title, looks in panels.items():
        panel, bottom = _panel(title, looks, bottom + BETWEEN)
        lines += panel
    height = bottom + 12
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>',
        *lines,
        "</svg>",
    ]) + "\n"  # fmt: skip
