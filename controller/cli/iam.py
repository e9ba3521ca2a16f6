"""`logroute iam`: the policies that the controller and the tasks need, printed; nothing is contacted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.cli.taskdefs import read_specs
from controller.desired.store import StoreUrlError, config_store, partition
from controller.permissions.controller import Reach, Store, statements, trust
from controller.permissions.destinations import Where
from controller.permissions.policy import LARGEST, Statement, parts, size, text
from controller.permissions.tasks import Need, Role, fold, needs
from controller.settings import AccountSettings, HookSettings, Settings, SettingsError, load
from controller.sources.address import S3Spec, parse_source
from controller.specs.model import Route

ANY = "*"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said. `families`, `roles`: what the policy is narrowed to."""

    config: Path | None
    specs: Path | None
    account: str | None = None
    account_id: str | None = None
    families: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    trust: str | None = None
    """The controller's role, to print who may assume the role instead of what that may do."""
    routes: tuple[str, ...] = ()
    config_store: str | None = None
    region: str | None = None
    kms_key: str = ""


def controller(asked: Asked) -> int:
    """Raises CommandError, SettingsError."""
    settings = load(asked.config)
    name = asked.account or settings.home_account
    account = settings.accounts.get(name)
    if account is None:
        raise CommandError(f"the settings know no account {name}; they know {', '.join(settings.accounts)}")
    if asked.trust:
        if not account.role_arn:
            raise CommandError(f"account {name} has no roleArn, so nobody assumes a role there; give --account")
        print(orjson.dumps(trust(asked.trust, account.external_id), option=orjson.OPT_INDENT_2).decode())
        return 0
    routes = _routes(asked) if asked.specs else None
    _print(list(statements(reach(settings, name, asked, routes))), "the controller")
    return 0


def reach(settings: Settings, name: str, asked: Asked, routes: Sequence[Route] | None) -> Reach:
    """How far the controller reaches in one account of its settings. Raises SettingsError."""
    account = settings.accounts[name]
    region = _region(settings, account)
    account_id = _account_id(account, asked)
    own = settings.home_account
    mine = None if routes is None else [one for one in routes if (one.document.spec.target.account or own) == name]
    part = partition(region)
    store = _store(settings.config_store, account_id, region)
    return Reach(
        part,
        account_id,
        region,
        _clusters(account, mine),
        asked.families or (ANY,),
        asked.roles or (ANY,),
        _log_groups(mine),
        store,
        asked.kms_key,
        home=name == own,
        lease_table=settings.lease.removeprefix("dynamodb://") if settings.lease != "s3" else "",
        deletes_configs=settings.garbage.configs == "delete",
        deregisters=settings.garbage.revisions == "deregister",
        read_only=settings.read_only,
        preflight=settings.preflight != "off",
        source_bucket=_source(settings, store),
        versions_of=_versions_of(settings),
        secret=settings.git.token_secret_arn or "",
        secrets=_secrets(settings),
        topics=tuple(sorted({one.sns for one in settings.notifications if one.sns})),
        queue="" if settings.read_only else settings.events.queue or "",
        assumes=tuple(sorted(one.role_arn for one in settings.accounts.values() if one.role_arn)),
        services=mine is None or any(one.document.spec.target.cluster for one in mine),
        families_of_jobs=mine is None or any(one.document.spec.target.task_families for one in mine),
        moves_schedules=mine is None or any(one.document.spec.target.repoint_schedules for one in mine),
    )


def task(asked: Asked, role: Role) -> int:
    """Raises CommandError."""
    region = asked.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ANY
    url = asked.config_store or load(asked.config).config_store
    if not url:
        raise CommandError("where do configs lie? give --config-store, or the settings by --config")
    account_id = asked.account_id or ANY
    where, store = Where(partition(region), account_id, region), _store(url, account_id, region)
    found = [need for route in _routes(asked) for need in needs(route, store, where, asked.kms_key)]
    mine = [need for need in found if need.role == role]
    for need in (*mine, *(one for one in found if role == "task" and one.role not in ("task", "execution"))):
        if need.remark or need.role != role:
            say(_remark(need, role))
    _print(fold(mine), f"the {role} role")
    return 0


def _remark(need: Need, role: Role) -> str:
    if need.role == role:
        return f"{need.route}, {need.part}: {need.remark}"
    return f"{need.route}, {need.part}: {need.role} needs {', '.join(need.actions)} on {', '.join(need.resources)}"


def _print(some: list[Statement], whose: str) -> None:
    if size(some) > LARGEST:
        several = len(list(parts(some)))
        say(f"{whose} needs more than one managed policy holds ({LARGEST} characters): split it into {several}")
    print(text(some), end="")


def _routes(asked: Asked) -> list[Route]:
    """Raises CommandError where specs are invalid: a policy for a part of them would deny the rest."""
    if asked.specs is None:
        raise CommandError("give --specs: what tasks need depends on their routes")
    specs = read_specs(asked.specs)
    if asked.routes and (strange := sorted(set(asked.routes) - {route.key for route in specs.routes})):
        raise CommandError(f"there is no route {strange[0]} in {asked.specs}")
    return [route for route in specs.routes if not asked.routes or route.key in asked.routes]


def _region(settings: Settings, account: AccountSettings) -> str:
    """The one region, or all."""
    own = settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    regions = {*account.regions, *((own,) if own and (not account.regions or account.role_arn is None) else ())}
    return regions.pop() if len(regions) == 1 else ANY


def _account_id(account: AccountSettings, asked: Asked) -> str:
    return account.role_arn.split(":")[4] if account.role_arn else asked.account_id or ANY


def _store(url: str | None, account_id: str, region: str) -> Store:
    if not url:
        raise SettingsError("no config store: set `configStore` or LOGROUTE_CONFIG_STORE to s3://bucket/prefix")
    try:  # a wildcard is no part of a bucket's name: letters stand in for it while the URL is read
        found = config_store(url, account="0any0account0", region="0any0region0")
    except StoreUrlError as error:
        raise SettingsError(str(error)) from error
    bucket, prefix = (
        part.replace("0any0account0", account_id).replace("0any0region0", region)
        for part in (found.bucket, found.prefix)
    )
    return Store(bucket, prefix)


def _secrets(settings: Settings) -> tuple[str, ...]:
    hooks = (one for forge in HookSettings.model_fields for one in getattr(settings.hooks, forge))
    slack = (one.slack for one in settings.notifications if one.slack)
    signing = (one.webhook.secret for one in settings.notifications if one.webhook)
    status = (settings.commit_status.token,) if settings.commit_status else ()
    every = (*settings.api.token, *hooks, *slack, *signing, *status)
    return tuple(sorted({one for one in every if one.startswith("arn:")}))


def _source(settings: Settings, store: Store) -> Store | None:
    spec = parse_source(settings.source) if settings.source else None
    if not isinstance(spec, S3Spec):
        return None
    there = Store(spec.bucket, spec.prefix.strip("/"))
    inside = there.bucket == store.bucket and f"{there.prefix}/".startswith(f"{store.prefix}/" if store.prefix else "")
    return None if inside else there


def _versions_of(settings: Settings) -> str:
    spec = parse_source(settings.source) if settings.source else None
    return spec.bucket if isinstance(spec, S3Spec) and settings.s3.versioning == "require" else ""


def _clusters(account: AccountSettings, routes: Iterable[Route] | None) -> tuple[str, ...]:
    """Globs have the wildcards that IAM has."""
    bounds = (*account.clusters, *(one for part in account.shards.values() for one in part))
    if bounds:
        return bounds
    if routes is None:
        return (ANY,)
    return tuple(sorted({route.document.spec.target.cluster or "" for route in routes} - {""})) or (ANY,)


def _log_groups(routes: Iterable[Route] | None) -> tuple[str, ...]:
    if routes is None:
        return (ANY,)
    return tuple(sorted({"/logroute/*", *(group.name for route in routes for group in route.log_groups)}))
