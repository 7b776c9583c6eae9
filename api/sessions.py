"""Looks up whom the sessions of browsers stand for: those that come at one time with one look at the database.

Nothing is kept, so a session that ends lets nobody in from then on. All who look at a page renew it when there are
newer figures, at one moment: without this each of them would cost a look.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.keys import Key
from services.web_sessions import Over

Found = Mapping[str, Key | Over]


@dataclass(slots=True)
class _Look:
    """A look to come: for whom, and what it finds."""

    tokens: set[str] = field(default_factory=set)
    found: "Future[Found]" = field(default_factory=Future)


class Sessions:
    """Whom sessions stand for. Any thread may ask.

    Args:
        read: looks at the database; what it raises, all who wait for the look get.
    """

    def __init__(self, read: Callable[[Collection[str]], Found]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next: _Look | None = None

    def key(self, token: str) -> Key | Over:
        """The key of a session, or why it lets nobody in: by a look that begins after this is called."""
        with self._lock:
            is_first = self._next is None
            look = self._next = self._next or _Look()
            look.tokens.add(token)
        if is_first:
            with self._turn:  # whoever comes while another look is under way joins this one
                self._work(look)
        return look.found.result()[token]

    def _work(self, look: _Look) -> None:
        with self._lock:
            self._next = None
        try:
            look.found.set_result(self._read(look.tokens))
        except BaseException as error:
            look.found.set_exception(error)
