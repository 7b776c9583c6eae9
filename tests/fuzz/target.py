"""Fuzzes one format: `python -m tests.fuzz.target FORMAT FOLDER [libFuzzer's options]`. Ends as libFuzzer does.

With a file in place of the folder, it tries that input once more.
"""

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["parser_runner"]):
    from parser_runner.parsers.testkit import check_input
    from tests.unit.described_samples import DESCRIBED_PARSERS, DESCRIBED_SAMPLES
    from tests.unit.parsing import source
    from tests.unit.samples import ALL_PARSERS, SAMPLES, InMemory, Sample

from tests.unit.workbooks import Rows, Value

_TEXTS = (
    "", " ", "..", "-", "0", "1e5", "Name", "Rank", "Count", "No.", "Total", "boys", "girls", "1998", "2020", "Ada",
    "Top 100", "e\u0301", "\u202e", "x" * 101, "٣",
)  # fmt: skip
"""Values of cells that mean something somewhere."""

ARCHIVE = b"PK\x03\x04"


def main(name: str, folder: Path, options: list[str]) -> None:
    """Fuzzes until an option ends it, or something is found."""
    logging.disable()
    sample = {**SAMPLES, **DESCRIBED_SAMPLES}[name]
    parser = {**ALL_PARSERS, **DESCRIBED_PARSERS}[name]

    def one_input(data: bytes) -> None:
        # Zip archives and real workbooks are for their own targets: every parser refuses them alike.
        if sample.sheets is None:
            if not data.startswith(ARCHIVE):
                check_input(parser, source(data, sample.name, hints=sample.hints))
            return
        opened = source(b"", sample.name)
        opened._workbook = InMemory(_changed(sample, data))
        check_input(parser, opened)

    if folder.is_file():
        one_input(folder.read_bytes())
        return
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    (seeds / "sample").write_bytes(sample.content if sample.sheets is None else b"")
    atheris.Setup([name, *options, f"-artifact_prefix={folder}/", str(seeds)], one_input)
    atheris.Fuzz()


def _changed(sample: Sample, data: bytes) -> dict[str, Rows]:
    """The sample's sheets after the changes that the bytes say."""
    assert sample.sheets is not None
    provider = atheris.FuzzedDataProvider(data)
    names = list(sample.sheets)
    sheets: dict[str, list[list[Value]]] = {name: [list(row) for row in sample.sheets[name]] for name in names}
    while provider.remaining_bytes():
        rows = sheets[provider.PickValueInList(names)]
        at = provider.ConsumeIntInRange(0, len(rows))
        match provider.ConsumeIntInRange(0, 4):
            case 0 if at < len(rows):
                del rows[at]
            case 1 if at < len(rows):
                rows.insert(at, list(rows[at]))
            case 2:
                rows.insert(at, [])
            case _ if at < len(rows) and rows[at]:
                rows[at][provider.ConsumeIntInRange(0, len(rows[at]) - 1)] = _value(provider)
    return dict(sheets)


def _value(provider: "atheris.FuzzedDataProvider") -> Value:
    match provider.ConsumeIntInRange(0, 5):
        case 0:
            return None
        case 1:
            return int(provider.ConsumeInt(4))
        case 2:
            return float(provider.ConsumeFloat())
        case 3:
            return bool(provider.ConsumeBool())
        case 4:
            return str(provider.PickValueInList(list(_TEXTS)))
        case _:
            return str(provider.ConsumeUnicodeNoSurrogates(12))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
