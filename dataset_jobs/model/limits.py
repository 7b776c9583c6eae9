"""What a file may cost before it is refused. Wall time and memory as a whole are the pod's to limit."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is a setting `LIMIT_…` of the field's name in capitals; see docs/settings.md.

    Args:
        file_mib: of the file as it was submitted.
        zip_members: files within an archive or workbook.
        unpacked_mib: of all members of an archive or workbook together, by its directory and while it is read.
        unpacked_ratio: of the unpacked to the packed size. Real files reach 13.
        workbook_memory_mib: address space of the process that reads a workbook.
        rows: that a file may give.
        cell_chars: that a cell or line may have.
        name_chars: that a name may have.
    """

    file_mib: int = 512
    zip_members: int = 1000
    unpacked_mib: int = 1024
    unpacked_ratio: int = 100
    workbook_memory_mib: int = 256
    rows: int = 20_000_000
    cell_chars: int = 65_536
    name_chars: int = 100

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Limits":
        """Reads the LIMIT_* variables; what is empty or not a positive number keeps its default.

        The controller has checked them already: a runner does not fail for them.
        """
        given = {field.name: environment.get(f"LIMIT_{field.name.upper()}", "") for field in fields(cls)}
        return cls(**{name: int(value) for name, value in given.items() if value.isascii() and value.isdigit()})

    def to_env(self) -> dict[str, str]:
        """What `from_env` reads."""
        return {f"LIMIT_{field.name.upper()}": str(getattr(self, field.name)) for field in fields(self)}
