"""Kubernetes quantities: `512Mi`, `1G`, `1500m`, `2e9`."""

import re
from decimal import Decimal

_UNITS = "kMGTPE"
_SUFFIXES = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in zip((-3, -2, -1), "num", strict=True)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate(_UNITS, 1)},
    **{f"{unit.upper()}i": Decimal(1024) ** power for power, unit in enumerate(_UNITS, 1)},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(\D*))")


def parse_quantity(quantity: str | int) -> Decimal:
    """Reads a quantity; raises ValueError.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None or (match[3] or "") not in _SUFFIXES:
        raise ValueError(f"{quantity} is no quantity")
    return Decimal(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]


def format_bytes(size: int) -> str:
    """Writes bytes as a quantity."""
    mebibytes, rest = divmod(size, 2**20)
    return str(size) if rest else f"{mebibytes}Mi"
