"""The runner's side: a parser in another process, and the parent of such processes."""

import logging
import os
import select
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from subprocess import Popen, TimeoutExpired
from typing import Any, NoReturn, TypeVar

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, OutOfMemory, Rejected, RunError, Unavailable
from dataset_jobs.model.local_machine import machine_error, machine_errors
from dataset_jobs.model.report import Report
from parser_runner.apart import clean_start, messages
from parser_runner.apart.parent import ENDED, serve
from parser_runner.apart.plain import MOST_BYTES, is_plain
from parser_runner.file_parser import FileToParse, ParsedFile, Suggested

PATIENCE_SECONDS = 1.0
"""How often the runner looks whether it should go on, if the parser says nothing."""

FILES_OF_A_PARSER = 50
"""The most plain files that one process reads."""

_LAST_WORD_SECONDS = 10.0
_MOST_LINES = 1000
_BY_ITS_OWN_CODE = {signal.SIGABRT, signal.SIGSEGV, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS}

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ParserParent:
    """A clean process that forks a process for each file.

    Use `forked` in a process that holds no credential yet, and `started` in any other.

    Args:
        control: this process's end.
        process: of the program that was started; None if it was forked.
        folder: of its parsers' temporary files, if it is for them alone.
    """

    def __init__(
        self,
        control: socket.socket,
        process: "Popen[bytes] | None" = None,
        folder: "tempfile.TemporaryDirectory[str] | None" = None,
    ) -> None:
        self._control = control
        self._process = process
        self._folder = folder
        self._in_force: str | None = None
        self._is_at_work = False
        self._idle: _Idle | None = None
        self._keeps: bool | None = None

    @classmethod
    def forked(cls, writable: str) -> "ParserParent":
        """Forks it from this process, whose memory must not hold a credential, and which has no other thread."""
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            serve(theirs, writable)
        theirs.close()
        return cls(ours)

    @classmethod
    def started(cls, for_one: bool = False) -> "ParserParent":
        """Starts it as a program of its own.

        Args:
            for_one: file, that is; it keeps no process for another one.

        Raises:
            Unavailable, OutOfMemory: the machine does not start it.
        """
        with machine_errors("make a temporary file"):
            folder = tempfile.TemporaryDirectory(prefix="affirm-parsing-", ignore_cleanup_errors=True)
        with machine_errors("start the process that parses"):
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    process = clean_start.start(theirs, folder.name)
                except BaseException:
                    ours.close()
                    folder.cleanup()
                    raise
        parent = cls(ours, process, folder)
        if for_one:
            parent._keeps = False
        return parent

    def parser(self, asked: FileToParse, go_on: Callable[[], None] = lambda: None) -> "ParserApart":
        """A process for one file; one at a time. Its methods raise Unavailable or OutOfMemory if none can start.

        Args:
            asked: the file.
            go_on: called about every second while the parser works; it may raise, which ends the parser.
        """
        return ParserApart(self, asked, go_on)

    def connect(self, asked: FileToParse, plain: bool) -> "_Idle":
        """A process that waits for this file: a new one, unless the file and all that the last one has read are plain.

        Raises:
            Unavailable, OutOfMemory: none can start.
        """
        idle, self._idle = self._idle, None
        if idle is not None:
            if plain and idle.takes(asked):
                return idle
            idle.connection.close()
        with machine_errors("start a process that parses"):
            self.in_force()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    socket.send_fds(self._control, [b"f"], [theirs.fileno()])
                except BrokenPipeError:
                    ours.close()
                    raise _gone() from None
        # The last one, if it has not ended by itself, is ended now.
        if self._is_at_work and self.how_it_ended() is None:
            ours.close()
            raise _gone()
        self._is_at_work = True
        return _Idle(Connection(ours.detach()), asked)

    def keep(self, idle: "_Idle") -> None:
        """Keeps a process that has read plain files to their end, for the next one.

        If other packages have parsers, it ends: nobody knows what those do with a file.
        """
        if self._keeps is None:
            # Import it only now: a search of the installed packages takes longer than parsing most files.
            from parser_runner.parsers.packages import packaged_countries

            self._keeps = not packaged_countries()
        if self._keeps:
            self._idle = idle
        else:
            idle.connection.close()

    def in_force(self) -> str:
        """What confines its parsers: see `parser_runner.apart.confine`."""
        if self._in_force is None:
            self._in_force = self._control.recv(1024).decode()
            _log.debug("the process that parses is confined by: %s", self._in_force)
        return self._in_force

    def how_it_ended(self) -> tuple[int, float] | None:
        """The wait status and the seconds of processor of the last parser; None if it does not end, or nobody knows."""
        if not select.select([self._control], [], [], _LAST_WORD_SECONDS)[0]:
            return None
        with suppress(OSError):
            if len(answer := self._control.recv(ENDED.size)) == ENDED.size:
                self._is_at_work = False
                status, seconds = ENDED.unpack(answer)
                return status, seconds
        return None

    @property
    def is_there(self) -> bool:
        """Whether the program that was started still runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Ends the program and its parser at once, from any thread: who waits for the parser gets Unavailable."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Ends it and its parser."""
        if self._idle is not None:
            self._idle.connection.close()
        self._control.close()
        if self._process is not None:
            with suppress(TimeoutExpired):
                self._process.wait(PATIENCE_SECONDS)
            self._process.kill()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()


class _Idle:
    """A process that waits for a file.

    Args:
        connection: to it.
        asked: its first file. All others are of the same country and under the same limits.
    """

    def __init__(self, connection: Connection, asked: FileToParse) -> None:
        self.connection = connection
        self.files = 1
        self._first = asked

    def takes(self, asked: FileToParse) -> bool:
        """Whether it may read this file too: a plain one."""
        alike = (asked.country, asked.limits) == (self._first.country, self._first.limits)
        # One that says something unasked has ended, or is not to be trusted.
        if not alike or self.files >= FILES_OF_A_PARSER or self.connection.poll():
            return False
        self.files += 1
        return True


class ParserApart:
    """A parser in another process; see `parser_runner.file_parser.Parsing`. What it says is checked.

    The process starts when the file is there, or its first MOST_BYTES are.
    """

    def __init__(self, parent: ParserParent, asked: FileToParse, go_on: Callable[[], None]) -> None:
        self._parent = parent
        self._asked = asked
        self._go_on = go_on
        self._lines = 0
        self._held = b""
        self._idle: _Idle | None = None
        self._is_plain = False
        self._takes_more = False

    @property
    def _connection(self) -> Connection:
        if self._idle is None:
            self._is_plain = is_plain(self._held)
            self._idle = self._parent.connect(self._asked, self._is_plain)
            held, self._held = self._held, b""
            self._send(messages.FILE + messages.file_as_json(self._asked) + b"\n" + held)
        return self._idle.connection

    def write(self, block: bytes) -> None:
        if self._idle is None and len(self._held) <= MOST_BYTES:
            self._held += block
        else:
            self._send(messages.BYTES + block)

    def parse(self, progress: Callable[[int], None]) -> ParsedFile:
        self._send(messages.PARSE)
        while True:
            kind, content = self._receive()
            if kind == messages.PARSED:
                return self._understood(messages.parsed_from_json, content)
            if kind != messages.PROGRESS:
                self._nonsense()
            progress(self._understood(int, content))

    def blocks(self) -> Iterator[bytes]:
        return self._blocks(messages.SEND_ROWS)

    def csv(self) -> Iterator[bytes]:
        """As `FileParser.csv`; it may go to a terminal, so it has no control characters."""
        for block in self._blocks(messages.CSV):
            if not self._understood(bytes.decode, block).replace("\n", "").isprintable():
                self._nonsense()
            yield block

    def reports(self) -> list[Report]:
        """As `FileParser.reports`."""
        self._send(messages.REPORT)
        kind, content = self._receive()
        match self._understood(messages.from_json, content):
            case [_, *_] as found if kind == messages.PARSED:
                return [self._understood(self._report, one) for one in found]
        self._nonsense()

    def suggested(self) -> Suggested | str:
        """As `FileParser.suggested`; if nothing can be proposed, why."""
        self._send(messages.SUGGEST)
        kind, content = self._receive()
        if kind == messages.NOTHING:
            return content.decode(errors="replace")
        if kind != messages.PARSED:
            self._nonsense()
        return self._understood(lambda text: messages.suggested_from_json(text, self._asked.filename), content)

    def _report(self, values: Any) -> Report:
        return messages.report_from_values(values, self._asked.filename)

    def _blocks(self, asked: bytes) -> Iterator[bytes]:
        self._send(asked)
        while True:
            kind, content = self._receive()
            if kind == messages.END:
                self._takes_more = content == messages.TAKES_MORE
                return
            if kind != messages.ROWS:
                self._nonsense()
            yield content

    def find_duplicates(self) -> None:
        self._takes_more = False
        self._send(messages.FIND_DUPLICATES)
        kind, _ = self._receive()
        if kind != messages.END:
            self._nonsense()

    def close(self) -> None:
        if self._idle is None:
            return
        if self._is_plain and self._takes_more:
            self._parent.keep(self._idle)
        else:
            self._idle.connection.close()  # it ends then

    def _send(self, message: bytes) -> None:
        connection = self._connection
        with machine_errors("write to the process that parses"), suppress(BrokenPipeError, ConnectionResetError):
            connection.send_bytes(message)  # if it has ended, `_receive` says why

    def _receive(self) -> tuple[bytes, bytes]:
        """The next message that is no log line.

        Raises:
            RunError: the parser has failed or ended, or `go_on` raised this.
        """
        while True:
            try:
                while not self._connection.poll(PATIENCE_SECONDS):
                    self._go_on()
                message = self._connection.recv_bytes(messages.MESSAGE_BYTES)
            except (EOFError, ConnectionResetError):
                raise self._why_it_ended() from None
            except OSError as error:
                if error.errno is None:  # multiprocessing's own, for a message that is too long
                    self._nonsense()
                raise machine_error(error, "read from the process that parses") from None
            kind, content = message[:1], message[1:]
            if kind == messages.FAILED:
                raise self._understood(lambda text: messages.error_from_json(text, self._asked.filename), content)
            if kind != messages.LOG:
                return kind, content
            self._write_line(content)

    def _write_line(self, content: bytes) -> None:
        self._lines += 1
        match self._understood(messages.from_json, content):
            case [int(level), str(line)] if self._lines <= _MOST_LINES:
                _log.log(level, "%s", line)
            case _:
                self._nonsense()

    def _understood(self, read: Callable[[Any], T], content: Any) -> T:
        try:
            return read(content)
        except (messages.Nonsense, ValueError):
            self._nonsense()

    def _nonsense(self) -> NoReturn:
        raise Faulty("the process that parses said something else than it was asked")

    def _why_it_ended(self) -> RunError:
        ended = self._parent.how_it_ended()
        if ended is None:
            return _gone()
        status, seconds = ended
        if status < 0:
            return machine_error(OSError(-status, os.strerror(-status)), "start a process that parses")
        if not os.WIFSIGNALED(status):
            return Faulty(
                f"the process that parses ended without a word (exit code {os.waitstatus_to_exitcode(status)})"
            )
        limit = self._asked.limits.cpu_seconds
        number = os.WTERMSIG(status)
        if number in (signal.SIGKILL, signal.SIGXCPU) and seconds > limit - 0.5:
            message = f"reading the file takes more than {limit} seconds of processor (LIMIT_CPU_SECONDS)"
            return Rejected(Reason.TOO_LARGE, self._asked.filename, message)
        if number == signal.SIGKILL:
            return OutOfMemory(
                "local machine: the process that parses was killed (SIGKILL), as the kernel does when memory is short"
            )
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        if number in _BY_ITS_OWN_CODE:
            return Faulty(f"the process that parses crashed ({name})")
        return Unavailable(f"local machine: the process that parses was ended ({name})", Reason.TEMPORARY_IO)


def _gone() -> Unavailable:
    return Unavailable("local machine: the process that starts parsers has ended", Reason.TEMPORARY_IO)
