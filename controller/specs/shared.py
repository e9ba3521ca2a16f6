"""What is wrong with a LogOutput or a LogRouterClass in itself, whoever refers to it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.kinds import LogOutput, LogRouterClass
from controller.api.problems import Severity
from controller.fluentbit.catalogue import ANY
from controller.fluentbit.checks import check
from controller.fluentbit.engines import EngineError, engine_of, known_engine
from controller.fluentbit.findings import Finding, error, warning
from controller.fluentbit.pipeline import check_service
from controller.specs.documents import Document


def check_shared(document: Document) -> tuple[Finding, ...]:
    """Paths start at the document. Routes are not looked at here."""
    if isinstance(document.model, LogOutput):
        return tuple(_output(document.model))
    if isinstance(document.model, LogRouterClass):
        return tuple(_class(document.model))
    return ()


def _output(model: LogOutput) -> Iterator[Finding]:
    """Its engine is that of the routes that refer to it, so an option that any engine has is good here."""
    section, allowed = model.spec.section, model.metadata.allowed_lints
    if "ref" in section:
        hint = "write the output out"
        yield error(("spec", "ref"), "REF_AND_OPTIONS", "a LogOutput cannot refer to another", hint, key=True)
        return
    for one in check("outputs", section, ANY, model.spec.secrets):
        if one.severity is Severity.ERROR or one.code not in allowed:
            yield one.below("spec")


def _class(model: LogRouterClass) -> Iterator[Finding]:
    spec = model.spec
    try:
        engine = engine_of(spec.image, spec.engine)
        known = known_engine(spec.image)
    except EngineError as wrong:
        yield error(("spec", "image"), wrong.code, wrong.message, wrong.hint)
        return
    if known and engine not in (known, "unchecked"):
        message = f"the engine is said to be {engine}, but AWS's image {spec.image} holds {known}"
        yield warning(("spec", "engine"), "ENGINE_MISMATCH", message, f"say {known}, or leave it out")
    secrets = {secret.name for secret in spec.container.secrets}
    for one in check_service(spec.service, engine, secrets):
        yield one.below("spec")
