"""Limits on a file, beyond which it is refused. The pod limits wall time and total memory."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Each field is a setting: `LIMIT_` and its name in capitals. See docs/settings.md.

    Args:
        file_mib: size of the submitted file.
        zip_members: files in an archive or workbook.
        unpacked_mib: size of all members together, by the directory and while they are read.
        unpacked_ratio: unpacked by packed size. Real files reach 13.
        workbook_memory_mib: address space of the process that reads a workbook.
        rows: of a file.
        cell_chars: characters of a cell or line.
        name_chars: characters of a name.
        cpu_seconds: of processor, of the process that parses the file.
    """

    file_mib: int = 512
    zip_members: int = 1000
    unpacked_mib: int = 1024
    unpacked_ratio: int = 100
    workbook_memory_mib: int = 256
    rows: int = 20_000_000
    cell_chars: int = 65_536
    name_chars: int = 100
    cpu_seconds: int = 600

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Limits":
        """Reads the LIMIT_* variables. A variable that is empty or no whole number keeps its default.

        The controller checks them, so a runner does not fail for them.
        """
        given = {field.name: environment.get(f"LIMIT_{field.name.upper()}", "") for field in fields(cls)}
        return cls(**{name: int(value) for name, value in given.items() if value.isascii() and value.isdigit()})

    def to_env(self) -> dict[str, str]:
        """The variables for `from_env`."""
        return {f"LIMIT_{field.name.upper()}": str(getattr(self, field.name)) for field in fields(self)}
