"""The place in the code that an error comes from, for messages: its text may quote the file, its place cannot."""

from pathlib import Path


def place_of_error(error: BaseException) -> str:
    """The file and line that raised it."""
    trace = error.__traceback__
    place = "an unknown place"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
