"""What belongs to the controller: no output of a spec writes into the config store, or into the source of the specs.

Who could write there would write configs, state and specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.kinds import LogOutput, LogRoute
from controller.fluentbit.findings import Finding, Path, error
from controller.fluentbit.words import lowered, shown

_VARIES = re.compile(r"[%$].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reserved:
    """`bucket` may hold `{account}` and `{region}`; `prefix` is what stands before the first of them, "" for all."""

    what: str
    bucket: str
    prefix: str = ""

    def holds(self, bucket: str, key: str) -> bool:
        """Whether an object may lie in it whose key begins with `key`."""
        names = re.escape(self.bucket).replace(r"\{account\}", r"\d{12}").replace(r"\{region\}", "[a-z0-9-]+")
        return re.fullmatch(names, bucket) is not None and (key.startswith(self.prefix) or self.prefix.startswith(key))


def reserved(what: str, bucket: str, prefix: str) -> Reserved:
    fixed = prefix.strip("/").partition("{")[0]
    return Reserved(what, bucket, f"{fixed}/" if fixed and fixed == prefix.strip("/") else fixed)


def trespasses(model: LogRoute | LogOutput, places: Iterable[Reserved]) -> Iterator[Finding]:
    """Paths start at the document."""
    some = tuple(places)
    if isinstance(model, LogOutput):
        yield from _output(model.spec.section, ("spec",), some)
        return
    for number, section in enumerate(model.spec.pipeline.outputs):
        yield from _output(section, ("spec", "pipeline", "outputs", number), some)


def _output(section: Mapping[str, Any], path: Path, places: Iterable[Reserved]) -> Iterator[Finding]:
    lower = lowered(section)
    bucket = lower.get("bucket")
    if str(lower.get("name", "")).lower() != "s3" or not isinstance(bucket, str):
        return
    key = _VARIES.sub("", str(lower.get("s3_key_format", "/fluent-bit-logs/")).lstrip("/"))
    for place in places:
        if place.holds(bucket, key):
            name = next(key for key in section if key.lower() == "bucket")
            message = f"objects of this output may lie in {shown(bucket)} where {place.what} is"
            hint = "write to another bucket, or below another prefix"
            yield error((*path, name), "OUTPUT_IN_RESERVED_BUCKET", message, hint)
