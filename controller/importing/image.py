"""The router's image, its engine and the way its config comes: AWS's init image wherever it can be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.fluentbit.engines import UNCHECKED, EngineError, known_engine
from controller.importing.definition import FireLens
from controller.importing.remarks import Remark, in_definition

_AWS = re.compile(
    r"(?P<repository>(?:[^@]*/)?aws-for-fluent-bit)(?::(?P<tag>[^@:/]+))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
FLOATING = {"init-latest": "1.9.10", "init-debug-latest": "1.9.10", "init-3": "5.1", "init-debug-3": "5.1"}
"""What AWS's floating tags hold: `stable` and `latest` never left 2.x (aws-for-fluent-bit#1181)."""
_INSTEAD = "init-3.5.8"
"""The release after 3.5.0, which AWS took back."""


@dataclass(frozen=True, slots=True)
class Image:
    image: str
    engine: str | None
    """None where AWS's tag tells."""
    delivery: str | None
    """None for the usual: the init image fetches the config."""
    init: bool
    """The hand-made router ran AWS's init process, as far as the image's name tells."""
    remarks: tuple[Remark, ...] = ()

    @property
    def runs(self) -> str:
        """The engine by which option names are checked."""
        return self.engine or known_engine(self.image) or UNCHECKED


def image_of(firelens: FireLens, engine: str | None) -> Image:
    image = str(firelens.router["image"])
    match = _AWS.fullmatch(image)
    if match is None:
        return _custom(firelens, image, engine)
    return _of_aws(firelens, match, engine)


def _custom(firelens: FireLens, image: str, engine: str | None) -> Image:
    place, chosen, remarks = in_definition(firelens.name), engine or UNCHECKED, []
    if firelens.custom and firelens.custom.kind == "s3" and not firelens.fargate and not firelens.init:
        return Image(image, chosen, "firelens-s3", init=False, remarks=_unchecked(firelens, engine))
    if not firelens.init:
        why = "LogRoute's config is fetched by AWS's init process"
        remarks = [Remark(place, f"the image {image}", why, "build it FROM an init- image of aws-for-fluent-bit")]
    return Image(image, chosen, None, init=False, remarks=(*remarks, *_unchecked(firelens, engine)))


def _unchecked(firelens: FireLens, engine: str | None) -> tuple[Remark, ...]:
    if engine:
        return ()
    why = "which Fluent Bit is in the image cannot be told, so option names are not checked"
    return (Remark(in_definition(firelens.name), f"engine {UNCHECKED}", why, "give --engine to have them checked"),)


def _of_aws(firelens: FireLens, match: re.Match[str], engine: str | None) -> Image:
    place, remarks = in_definition(firelens.name), []
    init = (match["tag"] or "").startswith("init-")
    tag = _init_tag(match["tag"] or ("" if match["digest"] else "latest"))
    if not tag:
        why = "a digest alone does not tell whether it is an init image, which LogRoute's config needs"
        remarks.append(Remark(place, "the image's digest", why, "check it, or pin a tag such as init-3.4.15"))
        return Image(match[0], engine or UNCHECKED, None, init=init, remarks=(*remarks, *_unchecked(firelens, engine)))
    digest = match["digest"] if tag == match["tag"] else None
    image = f"{match['repository']}:{tag}{digest or ''}"
    if image != match[0]:
        remarks.append(
            Remark(place, f"the image {match[0]}", f"{image} is written: its init process fetches the config")
        )
    try:
        known = known_engine(image)
    except EngineError as error:
        instead = f"{match['repository']}:{_INSTEAD}"
        remarks.append(Remark(place, f"the image {match[0]}", error.message, f"{instead} is written"))
        image, known = instead, known_engine(instead)
    floating = FLOATING.get(tag)
    if engine or known or floating:
        return Image(image, engine or (None if known else floating), None, init=init, remarks=tuple(remarks))
    return Image(image, UNCHECKED, None, init=init, remarks=(*remarks, *_unchecked(firelens, None)))


def _init_tag(tag: str) -> str:
    """AWS's name of the same release with the init process; there is no init-stable (aws-for-fluent-bit#534)."""
    if not tag or tag.startswith("init-"):
        return tag
    return "init-latest" if tag == "stable" else f"init-{tag}"
