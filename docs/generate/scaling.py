"""A day of bursts on virtual time, as a plot: `make docs` writes docs/scaling.svg."""

import random
from dataclasses import dataclass

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.pools.spec import PoolSpec
from docs.generate import DOCS
from tests.unit.virtual_pool import VirtualPool

PAGE = DOCS / "scaling.svg"

DAY = 24 * 3600
TICK = 10
MAXIMUM = 40
RUN_SECONDS = 240.0
SLOWLY_UP = ScalingRules(policies=(ScalingPolicy("Pods", 4, 300), ScalingPolicy("Percent", 50, 300)))
SLOWLY_DOWN = ScalingRules(1200, (ScalingPolicy("Percent", 25, 300),))
PAUSED = (14 * 3600 + 1200, 15 * 3600)
LOWERED = (18 * 3600, 20 * 3600)
LOWERED_TO = 10


@dataclass(frozen=True, slots=True)
class Look:
    """The pool at one moment of the day, in seconds."""

    at: int
    waiting: int
    running: int
    desired: int


def arrivals(at: int, chance: random.Random) -> int:
    """How many jobs come within a tick: a trickle by day, and the uploads of publishers."""
    bursts = {
        2 * 3600: 400, 5 * 3600: 30, 5 * 3600 + 700: 30, 5 * 3600 + 1400: 30, 8 * 3600: 900, 14 * 3600: 450,
        18 * 3600 - 1200: 500,
    }  # fmt: skip
    trickle = int(7 * 3600 <= at < 22 * 3600 and chance.random() < 0.1)
    return bursts.get(at, 0) + trickle


def the_day(behavior: Behavior) -> list[Look]:
    """What the real function decides, tick for tick."""
    chance = random.Random(6)
    pool = VirtualPool(PoolSpec("default", min_parallelism=2, behavior=behavior), MAXIMUM, RUN_SECONDS)
    looks = []
    for at in range(0, DAY, TICK):
        pool.paused = PAUSED[0] <= at < PAUSED[1]
        pool.maximum = LOWERED_TO if LOWERED[0] <= at < LOWERED[1] else MAXIMUM
        decision = pool.tick(at, arrivals(at, chance))
        looks.append(Look(at, pool.waiting, pool.running, decision.desired))
    return looks


WIDTH, LEFT, RIGHT, TOP = 960, 44, 24, 40
QUEUE, RUNS, GAP = 90, 130, 34
COLOURS = {"waiting": "#8a6d3b", "running": "#2f6fab", "desired": "#c0392b"}


def _x(at: float) -> str:
    return f"{LEFT + (WIDTH - LEFT - RIGHT) * at / DAY:.1f}"


def _path(looks: list[Look], what: str, bottom: int, height: int, most: int, closed: bool = False) -> str:
    """A line of steps, with a point at each change."""
    parts, last = [], None
    for look in looks:
        value = getattr(look, what)
        if value != last:
            y = f"{bottom - height * value / most:.1f}"
            parts.append(f"M{_x(look.at)} {y}" if last is None else f"H{_x(look.at)}V{y}")
            last = value
    parts.append(f"H{_x(DAY)}")
    if closed:
        parts.append(f"V{bottom}H{_x(0)}Z")
    style = (
        f'fill="{COLOURS[what]}" fill-opacity="0.35"'
        if closed
        else f'fill="none" stroke="{COLOURS[what]}" stroke-width="1.3"'
    )
    return f'<path d="{"".join(parts)}" {style}/>'


def _text(x: float | str, y: float, text: str, anchor: str = "start", colour: str = "#333") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _axis(bottom: int, height: int, marks: list[int], most: int) -> list[str]:
    lines = []
    for mark in marks:
        y = bottom - height * mark / most
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        lines.append(_text(LEFT - 6, round(y + 4, 1), str(mark), "end"))
    return lines


def _band(period: tuple[int, int], bottom: int, height: int, text: str) -> list[str]:
    begin, end = (float(_x(at)) for at in period)
    return [
        f'<rect x="{begin}" y="{bottom - height}" width="{end - begin:.1f}" height="{height}" fill="#f3e9c6"/>',
        _text(round((begin + end) / 2, 1), bottom - height - 4, text, "middle", "#8a7a3b"),
    ]


def _panel(title: str, behavior: Behavior, top: int) -> tuple[list[str], int]:
    looks = the_day(behavior)
    queue_bottom = top + 22 + QUEUE
    runs_bottom = queue_bottom + GAP + RUNS
    lines = [_text(LEFT, top, f'<tspan font-weight="bold">{title}</tspan>')]
    lines += _axis(queue_bottom, QUEUE, [0, 500], 900)
    lines.append(_path(looks, "waiting", queue_bottom, QUEUE, 900, closed=True))
    lines += _band(PAUSED, runs_bottom, RUNS, "paused")
    lines += _band(LOWERED, runs_bottom, RUNS, f"maximum {LOWERED_TO}")
    lines += _axis(runs_bottom, RUNS, [0, 10, 20, 30, 40], 45)
    lines.append(_path(looks, "running", runs_bottom, RUNS, 45, closed=True))
    lines.append(_path(looks, "desired", runs_bottom, RUNS, 45))
    for hour in range(0, 25, 3):
        lines.append(_text(_x(hour * 3600), runs_bottom + 16, f"{hour}:00", "middle"))
    return lines, runs_bottom + 16


def svg() -> str:
    """The plot."""
    lines = [
        _text(LEFT, 18, "jobs that wait", colour=COLOURS["waiting"]),
        _text(LEFT + 110, 18, "runs", colour=COLOURS["running"]),
        _text(LEFT + 160, 18, "desired", colour=COLOURS["desired"]),
        _text(
            WIDTH - RIGHT, 18, f"{RUN_SECONDS:g} s a run, at most {MAXIMUM} at once, at least 2 while jobs wait", "end"
        ),
    ]
    first, bottom = _panel("by default: up at once, down after 300 s", Behavior(), TOP + 6)
    title = "every 300 s up by 4 or by half, down after 1200 s by a quarter"
    second, bottom = _panel(title, Behavior(SLOWLY_UP, SLOWLY_DOWN), bottom + 40)
    height = bottom + 12
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *lines, *first, *second,
        "</svg>",
    ]) + "\n"  # fmt: skip


def page() -> str:
    """The document, from the code as it is now."""
    return svg()
