"""Reads a workbook for `workbook.py`, in a process of its own with a limit of memory.

The library is native code: a crafted workbook can make it abort or ask for a terabyte, and that must cost this process
only. It is run as a script, imports nothing of ours, and speaks JSON, a line at a time:

    in   the workbook's bytes, as many as the first argument says
    out  {"sheets": [names of the visible worksheets]}, or {"error": "encrypted" | "damaged" | "memory" | "library"}
    in   [index of a sheet, how many of its rows or null for all]
    out  one list a row, then null; {"error": ...} ends everything. A date is {"date": "2022-08-04"}
"""

import datetime
import io
import json
import resource
import sys
from typing import Any


def main() -> None:
    """Answers until the parent closes the pipe."""
    size, memory_bytes = map(int, sys.argv[1:3])
    # Where affirm-worker is installed the interpreter may not look, isolated as it is.
    sys.path.append(sys.argv[3])
    try:
        import python_calamine  # noqa: F401
    except ImportError:
        _say({"error": "library"})
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        memory_bytes = min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _answer(sys.stdin.buffer.read(size))
    except MemoryError:
        _say({"error": "memory"})
    except BaseException as error:
        # A panic of the library is a BaseException of its own.
        _say({"error": "encrypted" if type(error).__name__ == "PasswordError" else "damaged"})


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
        return {"date": f"{value:%Y-%m-%d}"}
    return str(value)


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
