"""Kubernetes quantities: `512Mi`, `1G`, `1500m`, `2e9`."""

import re
from decimal import Decimal, DecimalException

_UNITS = "kMGTPE"
_SUFFIXES = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in zip((-3, -2, -1), "num", strict=True)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate(_UNITS, 1)},
    **{f"{unit.upper()}i": Decimal(1024) ** power for power, unit in enumerate(_UNITS, 1)},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(\D*))")


def parse_quantity(quantity: str | int) -> Decimal:
    """Reads a quantity; raises ValueError from 2^63 on, as Kubernetes does.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None or (match[3] or "") not in _SUFFIXES:
        raise ValueError(f"{quantity} is no quantity")
    try:
        value = Decimal(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]
    except DecimalException:  # thousands of digits, or an exponent of millions
        raise ValueError("the quantity is out of range") from None
    if abs(value) >= 2**63:
        raise ValueError("the quantity is out of range")
    return value


def format_bytes(size: int) -> str:
    """Writes bytes as a quantity."""
    mebibytes, rest = divmod(size, 2**20)
    return str(size) if rest else f"{mebibytes}Mi"
