"""What lines are drawn with: marks, bars and sparklines, in plain ASCII where a terminal has nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.screen.table import width_of
from dataset_jobs.model.text import one_line

Piece = tuple[str, str]
"""A text and its style, in rich's words; an empty style is none."""

Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters of a terminal.

    Args:
        encoding: of the terminal.
        wrong, well, chosen, apart, cut, unknown, beside: marks.
        full, empty: of bars.
        spark: of a sparkline, the lowest first.
        arrows: the keys that choose.
    """

    encoding: str = "utf-8"
    wrong: str = "!"
    well: str = "✓"
    chosen: str = "›"
    apart: str = "·"
    cut: str = "…"
    unknown: str = "–"
    beside: str = "│"
    full: str = "█"
    empty: str = "░"
    spark: str = "▁▂▃▄▅▆▇█"
    arrows: str = "↑↓"

    def text(self, given: str) -> str:
        """A text on one line that no terminal obeys, and that this one can show."""
        line = one_line(given)
        try:
            line.encode(self.encoding)
        except UnicodeEncodeError:
            line = line.translate(_PLAINLY)
            line = line.encode(self.encoding, "backslashreplace").decode(self.encoding)
        return line

    def fitted(self, given: str, width: int, *, keeps_end: bool = False) -> str:
        """A text in so many columns: cut, or with spaces after it.

        Args:
            keeps_end: also the last letters stay of what is cut: files of a publisher differ in the year there.
        """
        line = self.text(given)
        if width_of(line) > width:
            line = self._cut(line, width, keeps_end)
        return line + " " * (width - width_of(line))

    def _cut(self, line: str, width: int, keeps_end: bool) -> str:
        from rich.cells import set_cell_size

        room = width - width_of(self.cut)
        if room <= 0:
            return set_cell_size(line, max(0, width))
        tail = line if keeps_end else ""
        while width_of(tail) > room // 2:
            tail = tail[1:]
        return set_cell_size(line, room - width_of(tail)).rstrip() + self.cut + tail

    def right(self, given: str, width: int) -> str:
        """A text at the right of so many columns."""
        line = self.fitted(given, width).rstrip()
        return " " * (width - width_of(line)) + line

    def bar(self, share: float | None, width: int) -> str:
        """How far something is."""
        if share is None:
            return self.fitted(self.unknown, width)
        full = int(min(1.0, max(0.0, share)) * width)
        return self.full * full + self.empty * (width - full)

    def sparkline(self, values: Sequence[float | None], width: int) -> str:
        """Values as a line of so many columns, the last one at its right; each column has the greatest of its values.

        What is not known is a space.
        """
        if not values or width < 1:
            return " " * width
        size = max(1, -(-len(values) // width))
        parts = [values[max(0, at - size) : at] for at in range(len(values), 0, -size)][::-1]
        known = [max((one for one in part if one is not None), default=None) for part in parts]
        most = max((one for one in known if one is not None), default=0)
        drawn = "".join(" " if one is None else self._level(one, most) for one in known)
        return drawn.rjust(width)

    def _level(self, value: float, most: float) -> str:
        return self.spark[0 if most <= 0 else min(len(self.spark) - 1, int(value / most * (len(self.spark) - 1) + 0.5))]


_ASCII = {
    "wrong": "!", "well": "+", "chosen": ">", "apart": "-", "cut": "...", "unknown": "-", "beside": "|", "full": "#",
    "empty": ".", "spark": "_.:-=+*#", "arrows": "up/down",
}  # fmt: skip
_PLAINLY = str.maketrans({"…": "...", "–": "-", "·": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"'})


def marks_for(encoding: str | None) -> Marks:
    """The marks of a terminal with this encoding."""
    made = Marks(encoding or "ascii")
    try:
        "".join(getattr(made, name) for name in _ASCII).encode(made.encoding)
    except (UnicodeEncodeError, LookupError):
        return Marks(made.encoding, **_ASCII)
    return made


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for text, _ in line).rstrip()


def within(line: Line, width: int, marks: Marks) -> Line:
    """A line that is no wider than that, of texts that no terminal obeys: every line goes through here."""
    left, made = width, Line()
    for text, style in line:
        harmless = marks.text(text)
        shown = harmless if width_of(harmless) <= left else marks.fitted(harmless, left)
        made.append((shown, style))
        left -= width_of(shown)
        if left <= 0:
            break
    return made
