"""What is wrong with a LogOutput or a LogRouterClass in itself, whoever refers to it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.kinds import LogOutput, LogRouterClass
from controller.fluentbit.catalogue import ANY
from controller.fluentbit.checks import check
from controller.fluentbit.engines import EngineError, engine_of
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.pipeline import check_service
from controller.fluentbit.variables import Names
from controller.fluentbit.words import lowered
from controller.specs.documents import Document
from controller.specs.linting import allowing


def check_shared(document: Document) -> tuple[Finding, ...]:
    """Paths start at the document. Routes are not looked at here."""
    if isinstance(document.model, LogOutput):
        return tuple(allowing(_output(document.model), document.model.metadata.allowed_lints))
    if isinstance(document.model, LogRouterClass):
        return tuple(allowing(_class(document.model), document.model.metadata.allowed_lints))
    return ()


def _output(model: LogOutput) -> Iterator[Finding]:
    """Its engine is that of the routes that refer to it, so an option that any engine has is good here."""
    section = model.spec.section
    if "ref" in section:
        hint = "write the output out"
        yield error(("spec", "ref"), "REF_AND_OPTIONS", "a LogOutput cannot refer to another", hint, key=True)
        return
    from controller.fluentbit.lints.cloudwatch import lint_kept_group
    from controller.fluentbit.lints.sections import lint_section

    kept = {group.name for group in model.spec.log_groups}
    lower = lowered(section)
    lints = (*lint_section("outputs", lower), *lint_kept_group(lower, kept))
    for one in (*check("outputs", section, ANY, Names(model.spec.secrets)), *lints):
        yield one.below("spec")


def _class(model: LogRouterClass) -> Iterator[Finding]:
    spec = model.spec
    try:
        engine = engine_of(spec.image, spec.engine)
    except EngineError as wrong:
        yield error(("spec", "image"), wrong.code, wrong.message, wrong.hint)
        return
    from controller.fluentbit.lints.image import lint_image
    from controller.fluentbit.lints.router import lint_router

    names = Names({one.name for one in spec.container.secrets}, {one.name for one in spec.container.environment})
    lints = (*lint_image(spec.image, engine, needs_init=spec.delivery in ("auto", "init-s3")), *lint_router(spec))
    for one in (*lints, *check_service(spec.service, engine, names)):
        yield one.below("spec")
