"""Which files only Python itself reads: no decompressor, and no reader of workbooks.

A parser may read several such files, one after another: see docs/decisions/0022-a-process-that-parses-holds-nothing.md.
"""

from parser_runner.parsers.plain_file import compressed_by

MOST_BYTES = 64 * 1024


def is_plain(content: bytes) -> bool:
    """Whether a whole file is short text in UTF-8.

    The runner says so, by the bytes that it passes on: archives, compressed files and workbooks begin with bytes that
    give them away, or hold some that no text has.
    """
    if len(content) > MOST_BYTES or compressed_by(content):
        return False
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    for allowed in "\t\r\n":
        text = text.replace(allowed, "")
    return text.isprintable()
