"""What is said of an import: every remark with its place, and no secret in any of them."""

from __future__ import annotations

from dataclasses import dataclass

from controller.fluentbit.classic import Place


class Unimportable(ValueError):
    """There is nothing to import, or something needed is missing; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Remark:
    """`lost`: what stood there is not in the result, or not as it was."""

    place: Place
    what: str
    why: str
    advice: str = ""
    lost: bool = False

    def __str__(self) -> str:
        word = "not imported" if self.lost else "note"
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.place}: {word}: {self.what}: {self.why}{advice}"


DEFINITION = "task definition"


def in_definition(container: str = "") -> Place:
    return Place(f"{DEFINITION}, container {container}" if container else DEFINITION)
