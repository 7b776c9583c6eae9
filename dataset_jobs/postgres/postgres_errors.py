"""Turns errors of psycopg into those of the model, by their SQLSTATE and never by their text."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.model.hints import Action, Hint

_FORBIDDEN = ("28", "42501", "55000")
"""A refused login, a missing privilege, a database that takes no connections."""

_NOT_OURS = ("3F000", "42P01", "42703", "42883", "42804", "42809")
"""No such schema, table, column or function; or one of another type, so another program's."""

_MISCONFIGURED = ("3D000", "0A000", "22", "42")
"""No such database, or a setting in the URL that the server does not take."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Around every use of a connection.

    Only the server's primary message is kept: its detail and context may quote rows.

    Raises:
        Forbidden: the role lacks a privilege, or may not log in.
        Misconfigured: there is no such database, or its schema is not the one this code is for.
        Unavailable: everything else that a later try may pass.
        Faulty: a value that Postgres will never take.
    """
    try:
        yield
    except (psycopg.DataError, errors.CheckViolation, errors.NotNullViolation) as error:
        raise Faulty(f"database: {type(error).__name__}: a value that it does not take", Reason.DATABASE) from None
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq could not read the connection string; its message may quote it
            raise Misconfigured("database: the connection string is malformed", Reason.DATABASE) from None
        if not error.sqlstate.startswith((*_FORBIDDEN, *_NOT_OURS, "3D000")):
            raise
        raise error_of_state(error.sqlstate, one_line(error)) from None
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise error_of_state(error.sqlstate, one_line(error)) from None


def error_of_state(state: str | None, said: str) -> RunError:
    """The error that a SQLSTATE stands for; without one, or with one of no special meaning, `Unavailable`.

    Args:
        state: such as 28P01.
        said: the server's primary message.
    """
    text = f"database: {said}"
    if state is None:
        return Unavailable(text, Reason.DATABASE)
    if state.startswith(_FORBIDDEN):
        return Forbidden(text, Reason.DATABASE)
    if state in _NOT_OURS:
        return Misconfigured(f"{text}; it may not be migrated", Reason.DATABASE, hints=[Hint(Action.MIGRATE)])
    if state.startswith(_MISCONFIGURED):
        return Misconfigured(text, Reason.DATABASE)
    return Unavailable(text, Reason.DATABASE)


def one_line(error: psycopg.Error) -> str:
    """The server's primary message, or else libpq's, in one line. libpq ends its sentences with the line."""
    text = error.diag.message_primary or str(error)
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    sentences = [line if line.endswith((".", "?", "!", ":", ";", ",")) else f"{line}." for line in lines[:-1]]
    return " ".join([*sentences, *lines[-1:]]) or type(error).__name__
