"""Models that are kept for long, ten thousand of them, made smaller."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel


@lru_cache(maxsize=1024)
def _shared(stated: frozenset[str]) -> set[str]:
    """A set, for pydantic writes into the copy that it makes of it."""
    return set(stated)


def slim(model: BaseModel) -> None:
    """Which fields were stated is a set of 200 to 700 bytes for each model in it, and most documents state the same."""
    object.__setattr__(model, "__pydantic_fields_set__", _shared(frozenset(model.model_fields_set)))
    for value in vars(model).values():
        if isinstance(value, BaseModel):
            slim(value)
