"""Reads a workbook for `reader_process.py`, in a separate process with limited memory.

The library is native code: a crafted workbook can make it abort or ask for a terabyte, and only this process may
suffer. It runs as a script, imports nothing of ours, and speaks JSON, one line at a time:

    args the workbook's size, the limit of the address space, both in bytes; the library's folder
    out  {"granted": whether the machine gives that much}, before it sees any of the file
    in   the workbook's bytes
    out  {"sheets": [names of the visible worksheets]}
    in   [index of a sheet, number of rows or null for all]
    out  one list per row, then null. A date is {"date": "2022-08-04"}

{"error": ...} ends everything: "encrypted", "damaged" or "memory" is about the file, "no library" about the
installation, "machine" with an "errno" about the machine.
"""

import datetime
import io
import json
import mmap
import resource
import sys
from typing import Any


def main() -> None:
    """Answers until the parent closes the pipe."""
    size, memory_bytes = map(int, sys.argv[1:3])
    # At the end of the path, so that it replaces nothing.
    sys.path.append(sys.argv[3])
    try:
        # Before the limit is set: a failure here is not about the file.
        import python_calamine  # noqa: F401

        _say({"granted": _limit(memory_bytes)})
        content = sys.stdin.buffer.read(size)
        _answer(content)
    except ImportError:
        _say({"error": "no library"})
    except MemoryError:
        _say({"error": "memory"})
    except OSError as error:
        # The workbook is in memory, so an error with a number of the system is not about it.
        _say({"error": "machine", "errno": error.errno} if error.errno else {"error": "damaged"})
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # The library has its own BaseException for a panic.
        _say({"error": "encrypted" if type(error).__name__ == "PasswordError" else "damaged"})


def _limit(memory_bytes: int) -> bool:
    """Sets the limit. Returns whether the machine grants that much, by its own limits and its free memory."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    try:
        mmap.mmap(-1, memory_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        granted = False
    else:
        granted = limit == memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return granted


def _answer(content: bytes) -> None:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    _say({"sheets": names})
    sheets: dict[int, Any] = {}
    for request in sys.stdin.buffer:
        index, rows = json.loads(request)
        if index not in sheets:
            sheets[index] = book.get_sheet_by_name(names[index])
        for row in sheets[index].to_python(skip_empty_area=False, nrows=rows):
            sys.stdout.write(json.dumps(row, default=_plain) + "\n")
        _say(None)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()[:10]}
    return str(value)


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
