"""Turns what psycopg raises into the errors of the model."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Faulty, Forbidden, Misconfigured, Unavailable


@contextmanager
def database_errors() -> Iterator[None]:
    """Around every use of a connection.

    Only the server's primary message is kept: its detail and context may quote rows.

    Raises:
        Forbidden: the role lacks a privilege, or may not log in.
        Misconfigured: the schema is not the one this code is for, or the connection string is malformed.
        Unavailable: everything else that a later try may mend.
        Faulty: a value that Postgres will never take.
    """
    try:
        yield
    except (errors.InsufficientPrivilege, errors.InvalidAuthorizationSpecification) as error:
        raise Forbidden(f"database: {_primary(error)}", Reason.DATABASE) from None
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction) as error:
        raise Misconfigured(
            f"database: {_primary(error)}; is it migrated? (affirm-worker migrate)", Reason.DATABASE
        ) from None
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise Unavailable(f"database: {_primary(error)}", Reason.DATABASE) from None
    except (psycopg.DataError, errors.CheckViolation, errors.NotNullViolation) as error:
        raise Faulty(f"database: {type(error).__name__}: a value that it does not take", Reason.DATABASE) from None
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq could not read the connection string; its message may quote it
            raise Misconfigured("database: the connection string is malformed", Reason.DATABASE) from None
        raise


def _primary(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return " ".join(text.split()) or type(error).__name__
