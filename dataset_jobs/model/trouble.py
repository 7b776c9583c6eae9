"""Trouble that comes again with every try: since when, how often, when to say so again, and when to try again.

Pure: the time is passed in, in seconds by any clock that never goes back.
"""

import re
from dataclasses import dataclass, replace

from dataset_jobs.model.errors import Permanent, RunError

SAY_SECONDS = 10.0
"""From the first word about a trouble to the second; each further one takes twice as long."""

SAY_LONGEST_SECONDS = 600.0

REMEMBERED = 100
"""Texts that one place remembers to have said."""

WAIT_LONGEST_SECONDS = 30.0
"""Between two tries, at most."""

NEVER_TRIES = 4
"""After so many tries in a row that met a permanent error, whoever waits for an end is told that there is none."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What fails again and again.

    Args:
        error: what the last try met.
        permanent: the same try can only fail again: somebody has to do something.
        since: the first of these tries.
        tries: how many there were.
    """

    error: str
    permanent: bool
    since: float
    tries: int

    @property
    def is_never(self) -> bool:
        """It has been tried often enough to know that it does not pass by itself."""
        return self.permanent and self.tries >= NEVER_TRIES

    def wait(self, first: float) -> float:
        """Seconds until the next try: `first`, then twice as long each time."""
        doublings: int = 2 ** min(self.tries - 1, 16)
        return max(first, min(first * doublings, WAIT_LONGEST_SECONDS))

    def describe(self, now: float) -> str:
        """The error, since when, how often, and whether it can pass by itself."""
        tries = "once" if self.tries == 1 else f"{self.tries} times in {max(0.0, now - self.since):.0f} s"
        outlook = "this does not pass by itself" if self.permanent else "it is tried again until it passes"
        return f"{self.error} (tried {tries}; {outlook})"


class Quiet:
    """Says a new text at once, and the same text again at growing intervals.

    Two texts are the same if they differ in numbers only.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, float]] = {}

    def is_due(self, text: str, now: float) -> bool:
        """Whether to say it now; then it counts as said."""
        same = re.sub(r"\d+", "#", text)
        if same in self._said:
            due, interval = self._said[same]
            if now < due:
                return False
            interval = min(2 * interval, SAY_LONGEST_SECONDS)
        else:
            interval = SAY_SECONDS
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[same] = (now + interval, interval)
        return True

    def forget(self) -> bool:
        """All is well: whatever comes next is new. True if anything was said since the last time."""
        said, self._said = bool(self._said), {}
        return said


class Repeated:
    """Follows one thing that is tried again and again."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        """What is wrong now; None while all is well."""
        self.error: RunError | None = None
        """What the last try met; None if it went through."""
        self._quiet = Quiet()

    def failed(self, error: RunError, now: float) -> bool:
        """A try failed. Returns whether to say so."""
        self.error = error
        permanent = isinstance(error, Permanent)
        if self.trouble is None or self.trouble.permanent is not permanent:
            self.trouble = Trouble(str(error), permanent, now, 1)
        else:
            self.trouble = replace(self.trouble, error=str(error), tries=self.trouble.tries + 1)
        return self._quiet.is_due(str(error), now)

    def passed(self) -> bool:
        """A try went through. Returns whether to say so: only if the log has told of the trouble."""
        self.trouble = self.error = None
        return self._quiet.forget()
