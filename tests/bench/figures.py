"""What a benchmark says: one figure a line, with the bound that it must keep."""

from __future__ import annotations

from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Figure:
    """`bound` None: told, not judged. Bounds are counts, or ratios to a baseline of the same run."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    ok: bool = True

    def line(self) -> str:
        plain = {"name": self.name, "value": self.value, "unit": self.unit, "bound": self.bound, "ok": self.ok}
        return orjson.dumps(plain).decode()


def exactly(name: str, value: float, bound: float, unit: str = "calls") -> Figure:
    """Less than the bound is as wrong as more: a page that was not asked for is a page that was not seen."""
    return Figure(name, value, unit, bound, value == bound)


def at_most(name: str, value: float, bound: float, unit: str = "ratio") -> Figure:
    rounded = round(value, 3)
    return Figure(name, rounded, unit, bound, rounded <= bound)


def at_least(name: str, value: float, bound: float, unit: str = "ratio") -> Figure:
    rounded = round(value, 3)
    return Figure(name, rounded, unit, bound, rounded >= bound)


def told(name: str, value: float, unit: str) -> Figure:
    return Figure(name, round(value, 3), unit)
