"""Tenants: which namespaces and files may target what, and use what.

A document counts where one tenant covers its namespace and its file, and allows all that it asks. One that no tenant
covers is as if it were not there: it knocks out nobody's name, and keeps nothing in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from controller.api.globs import glob_pattern, within
from controller.api.kinds import Kind, LogOutput, LogRoute, RouteSpec
from controller.api.tenants import Tenant
from controller.fluentbit.findings import Finding, Path, error
from controller.fluentbit.words import listed, lowered, shown
from controller.specs.index import Entry
from controller.specs.reserved import Reserved, trespasses

CHANGE = "ask for less, or have the setting tenants changed"


@dataclass(frozen=True)
class Tenancy:
    """`home`: the account that a route means which names none. `roots`: what to take off the names of files, where
    they are shown from further up than the source. No tenants: everything is allowed that is not `reserved`.
    """

    tenants: tuple[Tenant, ...] = ()
    home: str = "main"
    roots: tuple[str, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    """What is no tenant's to write to."""

    def __bool__(self) -> bool:
        return bool(self.tenants or self.reserved)

    def divide(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[tuple[Entry, Finding]]]:
        """Those that some tenant covers, and the others with the reason."""
        kept: list[Entry] = []
        refused: list[tuple[Entry, Finding]] = []
        for entry in entries:
            if self.tenants and (why := self._outside(entry)):
                refused.append((entry, why))
            else:
                kept.append(entry)
        return kept, refused

    def may_hide(self, key: str, file: str) -> bool:
        """Whether a file that cannot be read, or not be used, may hold the route `key`: one of other tenants cannot."""
        return not self.tenants or bool(self._covering(_namespace(key), file)) or not self._is_claimed(file)

    def beyond(self, entry: Entry) -> list[Finding]:
        """What the document asks for and may not. Of several tenants that cover it, the most generous counts."""
        model, namespace = entry.document.model, _namespace(entry.document.key)
        if not isinstance(model, LogRoute | LogOutput):
            return []
        wrong = list(trespasses(model, self.reserved))
        if not self.tenants:
            return wrong
        covering = self._covering(namespace, entry.file) if entry.file else self._of(namespace)
        found = [list(_beyond(tenant, model, namespace, self.home)) for tenant in covering]
        return [*wrong, *min(found, key=len, default=[])]

    def permits(self, entry: Entry) -> bool:
        return not self or ((not self.tenants or self._outside(entry) is None) and not self.beyond(entry))

    def _outside(self, entry: Entry) -> Finding | None:
        kind, key = entry.document.kind, entry.document.key
        if kind is Kind.CLASS:
            return self._class_outside(entry.file)
        namespace = _namespace(key)
        if self._covering(namespace, entry.file):
            return None
        path: Path = ("metadata", "namespace")
        if mine := self._of(namespace):
            paths = sorted({glob for tenant in mine for glob in tenant.paths})
            where = f"in {listed(paths)}" if paths else "in every file that is of no other tenant"
            message = f"specs of namespace {namespace} may not stand in this file: they may {where}"
            return error(path, "TENANT_PATH", message, "move it there, or have the setting tenants changed")
        message = f"namespace {namespace} is of no tenant, so it may do nothing"
        return error(path, "TENANT_NAMESPACE", message, "use a namespace of yours, or have the setting tenants changed")

    def _class_outside(self, file: str) -> Finding | None:
        """A class is in no namespace, and of use to all."""
        if not self._is_claimed(file) or any("*" in one.namespaces for one in self.tenants if self._holds(one, file)):
            return None
        message = "a LogRouterClass is for all tenants, and this file is of one of them"
        hint = 'put it where no tenant has its specs, or one with namespaces: ["*"]'
        return error(("kind",), "TENANT_PATH", message, hint)

    def _of(self, namespace: str) -> Sequence[Tenant]:
        return [one for one in self.tenants if _any(one.namespaces, namespace)]

    def _covering(self, namespace: str, file: str) -> Sequence[Tenant]:
        """One without paths may use every file but those of tenants that are not about the namespace."""
        mine = self._of(namespace)
        foreign = any(self._holds(one, file) for one in self.tenants if one not in mine)
        return [one for one in mine if (self._holds(one, file) if one.paths else not foreign)]

    def _is_claimed(self, file: str) -> bool:
        return any(self._holds(one, file) for one in self.tenants)

    def _holds(self, tenant: Tenant, file: str) -> bool:
        root = next((one for one in self.roots if file.startswith(one)), "")
        return tenant.holds_path(file.removeprefix(root))


EVERYBODY = Tenancy()


def _namespace(key: str) -> str:
    return key.partition("/")[0]


def _beyond(tenant: Tenant, model: LogRoute | LogOutput, namespace: str, home: str) -> Iterator[Finding]:
    if isinstance(model, LogOutput):
        if not _any(_plugins(tenant), model.spec.name.lower()):
            yield _output(tenant, ("spec", "name"), f"the plugin {shown(model.spec.name)}")
        return
    yield from _target(tenant, model.spec, home)
    spec = model.spec
    if tenant.classes and not _any(tenant.classes, spec.router_class):
        what = f"the router class {spec.router_class}"
        yield _refused(("spec", "routerClass"), "TENANT_CLASS", "use", what, tenant.classes)
    if not tenant.may_override_router:
        yield from _overrides(spec)
    for number, section in enumerate(spec.pipeline.outputs):
        yield from _outputs(tenant, section, namespace, ("spec", "pipeline", "outputs", number))


def _target(tenant: Tenant, spec: RouteSpec, home: str) -> Iterator[Finding]:
    target, path = spec.target, ("spec", "target")
    account = target.account or home
    if tenant.accounts and not _any(tenant.accounts, account):
        yield _refused((*path, "account"), "TENANT_ACCOUNT", "target", f"account {account}", tenant.accounts)
    if target.cluster and tenant.clusters and not _all_within(target.cluster, tenant.clusters):
        what = f"cluster {shown(target.cluster)}"
        yield _refused((*path, "cluster"), "TENANT_CLUSTER", "target", what, tenant.clusters)
    yield from _names(tenant, (*path, "services"), target.services, "service")
    yield from _names(tenant, (*path, "taskFamilies"), target.task_families, "task family")
    bounded = tenant.services and "*" not in tenant.services
    if target.service_selector and not target.services and bounded:
        what = "every service with some tags"
        yield _refused(
            (*path, "serviceSelector"), "TENANT_SERVICE", "target", what, tenant.services, "; give services too"
        )
    if target.task_families and tenant.clusters and "*" not in tenant.clusters and not tenant.services:
        what = "task families, which are in no cluster"
        yield _refused((*path, "taskFamilies"), "TENANT_SERVICE", "target", what, tenant.clusters)


def _names(tenant: Tenant, path: Path, globs: Sequence[str], what: str) -> Iterator[Finding]:
    """What is excluded only narrows."""
    for number, glob in enumerate(globs):
        if tenant.services and not glob.startswith("!") and not _all_within(glob, tenant.services):
            yield _refused((*path, number), "TENANT_SERVICE", "target", f"{what} {shown(glob)}", tenant.services)


def _overrides(spec: RouteSpec) -> Iterator[Finding]:
    for path, there in (
        (("router",), bool(spec.router.model_fields_set)),
        (("pipeline", "service"), bool(spec.pipeline.service)),
    ):
        if there:
            message = "its tenant may not override the router"
            yield error(
                ("spec", *path), "TENANT_ROUTER", message, "leave it out, or have mayOverrideRouter set", key=True
            )


def _outputs(tenant: Tenant, section: dict[str, Any], namespace: str, path: Path) -> Iterator[Finding]:
    """LogOutputs of its own namespace were looked at where they stand."""
    lower = lowered(section)
    names = {key.lower(): key for key in section}
    if isinstance(ref := lower.get("ref"), str):
        key = ref if "/" in ref else f"{namespace}/{ref}"
        if _namespace(key) != namespace and tenant.outputs and not _any(tenant.outputs, key):
            yield _output(tenant, (*path, names["ref"]), f"the LogOutput {shown(key)}")
    elif isinstance(name := lower.get("name"), str) and not _any(_plugins(tenant), name.lower()):
        yield _output(tenant, (*path, names["name"]), f"the plugin {shown(name)}")


def _plugins(tenant: Tenant) -> tuple[str, ...]:
    return tuple(one.lower() for one in tenant.outputs if "/" not in one) if tenant.outputs else ("*",)


def _output(tenant: Tenant, path: Path, what: str) -> Finding:
    return _refused(path, "TENANT_OUTPUT", "use", what, tenant.outputs)


def _refused(path: Path, code: str, verb: str, what: str, bounds: Sequence[str], more: str = "") -> Finding:
    return error(path, code, f"its tenant may not {verb} {what}", f"it may {verb} {listed(bounds)}{more}; {CHANGE}")


def _all_within(glob: str, bounds: Sequence[str]) -> bool:
    return any(within(glob, bound) for bound in bounds)


@lru_cache(maxsize=65536)
def _any(globs: tuple[str, ...], name: str) -> bool:
    return any(glob_pattern(glob).fullmatch(name) for glob in globs)
