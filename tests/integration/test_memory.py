"""What a large text file takes of memory: its rows, and nothing of the file."""

import subprocess
import sys
from pathlib import Path

ROWS = 650_000
"""A little more than the largest file of the publishers whose formats are read (INSEE, 630,447 rows)."""

ALLOWED_MIB = 128

PROGRAM = """
import sys
import parser_runner.child, parser_runner.parsers.declared
from parser_runner.load import sort_rows
from parser_runner.parsers import Source, parse

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

idle = peak()
with open(sys.argv[1], "rb") as file:
    source = Source("nat.csv", file)
    rows = sort_rows(parse(source, "FR").rows, source.check_rows)
print(len(rows.lines), peak() - idle)
"""


def test_the_largest_text_file_takes_little_more_than_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "nat.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("sexe;preusuel;annais;nombre\n")
        letters = "ABCDEFGHIJ"
        for number in range(ROWS):
            name = "".join(letters[int(digit)] for digit in f"{number // 120:06}")
            file.write(f"{1 + number % 2};{name};{1900 + number % 120};{number % 1000 + 1}\n")
    done = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=True)
    rows, mib = done.stdout.split()
    assert int(rows) == ROWS
    assert 16 < float(mib) < ALLOWED_MIB
