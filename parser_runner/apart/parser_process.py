"""The process that parses one file, or plain files one after another: it answers the runner, and then ends."""

import logging
import time
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from typing import NoReturn

from dataset_jobs.model.errors import Faulty, RunError
from dataset_jobs.model.local_machine import machine_error
from parser_runner.apart import messages
from parser_runner.apart.confine import limit
from parser_runner.file_parser import FileParser
from parser_runner.place import place_of_error

_SHARE = 0.1
"""Of the limit on processor, which all files of a process share: one that has used more reads no further file."""


def parse_for(runner: Connection, in_force: list[str]) -> None:
    """Parses what the runner asks for, and returns when it asks for nothing more.

    Args:
        runner: the other end.
        in_force: as `confine` gave it.
    """
    try:
        try:
            _parse_files(runner, in_force)
        except RunError as error:
            _fail(runner, error)
        except (OSError, MemoryError) as error:
            if not isinstance(error, (BrokenPipeError, EOFError)):
                _fail(runner, machine_error(error, f"go on at {place_of_error(error)}"))
        except EOFError:
            pass
        except (Exception, SystemExit) as error:
            # The text of an unforeseen error may quote the file; its place in the code cannot.
            _fail(runner, Faulty(f"unforeseen {type(error).__name__} at {place_of_error(error)}"))
    except (BrokenPipeError, ConnectionResetError, EOFError):
        pass  # the runner has ended


def _parse_files(runner: Connection, in_force: list[str]) -> NoReturn:
    """One after another; it ends by EOFError."""
    message = runner.recv_bytes()
    while True:
        about, _, content = message.removeprefix(messages.FILE).partition(b"\n")
        asked = messages.file_from_json(about)
        limit(asked.limits, in_force)
        _log_to(runner)
        with closing(FileParser(asked)) as parser:
            parser.write(content)
            message = _answer(runner, parser)


def _answer(runner: Connection, parser: FileParser) -> bytes:
    """Answers all about one file, and gives back the message that begins another."""
    while True:
        asked = runner.recv_bytes()
        match asked[:1]:
            case messages.FILE:
                return asked
            case messages.BYTES:
                parser.write(asked[1:])
            case messages.PARSE:
                parsed = parser.parse(lambda rows: runner.send_bytes(messages.PROGRESS + str(rows).encode()))
                runner.send_bytes(messages.PARSED + messages.parsed_as_json(parsed))
            case messages.SEND_ROWS | messages.CSV:
                for block in parser.blocks() if asked == messages.SEND_ROWS else parser.csv():
                    runner.send_bytes(messages.ROWS + block)
                takes_more = time.process_time() < parser.asked.limits.cpu_seconds * _SHARE
                runner.send_bytes(messages.END + (messages.TAKES_MORE if takes_more else b""))
            case messages.FIND_DUPLICATES:
                parser.find_duplicates()
                runner.send_bytes(messages.END)
            case messages.REPORT:
                found = [messages.report_as_values(one) for one in parser.reports()]
                runner.send_bytes(messages.PARSED + messages.to_json(found))
            case messages.SUGGEST:
                runner.send_bytes(_suggestion(parser))


def _suggestion(parser: FileParser) -> bytes:
    from parser_runner.parsers.descriptions.suggest import NothingToSuggest

    try:
        found = parser.suggested()
    except NothingToSuggest as nothing:
        return messages.NOTHING + str(nothing).encode()
    return messages.PARSED + messages.suggested_as_json(found)


def _fail(runner: Connection, error: RunError) -> None:
    """Says why, and takes what the runner still sends, so that it can read that."""
    runner.send_bytes(messages.FAILED + messages.error_as_json(error))
    with suppress(EOFError, OSError):
        while True:
            runner.recv_bytes()


class _ToRunner(logging.Handler):
    def __init__(self, runner: Connection) -> None:
        super().__init__()
        self._runner = runner

    def emit(self, record: logging.LogRecord) -> None:
        self._runner.send_bytes(messages.LOG + messages.to_json([record.levelno, record.getMessage()]))


def _log_to(runner: Connection) -> None:
    """Our own lines go to the runner, which writes them as its own."""
    ours = logging.getLogger("parser_runner")
    ours.propagate = False
    ours.handlers = [_ToRunner(runner)]
    ours.setLevel(logging.DEBUG)
