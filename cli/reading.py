"""Reads files for the API's reports, each in a process without credentials, so that the API parses nothing itself."""

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from math import ceil
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, Rejected, Unavailable
from dataset_jobs.model.limits import MIB, Limits
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.report import Report
from parser_runner.apart.parser import ParserParent
from parser_runner.file_parser import FileToParse
from services.submission import Submission
from services.validation import TookTooLong


class ReportReader:
    """Reads files, one a thread. It keeps the processes that start parsers; a parser itself ends with its file.

    Args:
        limits: on files.
        seconds: by the clock, that one may take.
    """

    def __init__(self, limits: Limits, seconds: float) -> None:
        self._limits = replace(limits, cpu_seconds=min(limits.cpu_seconds, ceil(seconds) + 1))
        self._seconds = seconds
        self._idle: list[ParserParent] = []
        self._busy: set[ParserParent] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __call__(self, submission: Submission, country: str, content: BinaryIO) -> Sequence[Report]:
        """The reports of a file; see `services.validation.ReadReports`."""
        parent, late = self._take(), threading.Event()

        def stop() -> None:
            # A parser that is busy, or that a file has taken over, would not notice that its time is over.
            late.set()
            parent.kill()

        clock = threading.Timer(self._seconds, stop)
        clock.start()
        try:
            return self._read(parent, submission, country, content)
        except Rejected as rejected:
            return [Report(submission.filename, country, rejected=rejected)]
        except Faulty as fault:  # the file has brought the parser down, as it would in a load
            fallen = Rejected(Reason.INVALID_FORMAT, submission.filename, str(fault))
            return [Report(submission.filename, country, rejected=fallen)]
        except Unavailable:
            if late.is_set():
                raise TookTooLong(f"{submission.filename} was not read within {self._seconds:g} s") from None
            raise
        finally:
            clock.cancel()
            clock.join()
            self._put_back(parent, still_good=not late.is_set())

    def close(self) -> None:
        """Ends all processes: a file that is being read is Unavailable then."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for busy in self._busy:
                busy.kill()
        for one in idle:
            one.close()

    def _take(self) -> ParserParent:
        parent = self._good_one() or ParserParent.started()
        with self._lock:
            self._busy.add(parent)
        return parent

    def _good_one(self) -> ParserParent | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                parent = self._idle.pop()
            if parent.is_there:
                return parent
            parent.close()

    def _put_back(self, parent: ParserParent, *, still_good: bool) -> None:
        with self._lock:
            self._busy.discard(parent)
            if still_good and not self._closed:
                self._idle.append(parent)
                return
        parent.close()

    def _read(self, parent: ParserParent, submission: Submission, country: str, content: BinaryIO) -> Sequence[Report]:
        asked = FileToParse(submission.filename, country, submission.hints, self._limits)
        with closing(parent.parser(asked)) as parser:
            with machine_errors(f"read {submission.filename}"):
                while block := content.read(MIB):
                    parser.write(block)
            return parser.reports()
