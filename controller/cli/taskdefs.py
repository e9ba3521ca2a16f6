"""`logroute inject` and `logroute restore`: one task definition in, one out, for CI pipelines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from controller.api.problems import Severity
from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.desired.compose import Installation, compose
from controller.desired.matching import Home, RouteIndex, Undecidable
from controller.desired.model import ConfigObject, ConfigStore
from controller.desired.store import StoreUrlError, config_store
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.words import shown
from controller.specs.model import Route, SpecSet
from controller.taskdef.body import Body, NotATaskDefinition, account_of
from controller.taskdef.ignoring import put_but
from controller.taskdef.mark import Originals
from controller.taskdef.overlay import ForeignRouter, Ownership, Stripped, strip
from controller.taskdef.shapes import from_file
from controller.telemetry.redaction import register

NO_STORE = ConfigStore("", "")
"""Where none was given: enough for what is delivered inline."""


@dataclass(frozen=True, slots=True)
class InjectOptions:
    """What the command line said. `service` None: the definition's family."""

    task_definition: str
    specs: Path
    config_store: str | None
    region: str | None
    cluster: str | None
    service: str | None
    config_dir: Path | None
    upload: bool
    out: Path | None


def inject(options: InjectOptions) -> None:
    """Raises CommandError."""
    body = read_definition(options.task_definition)
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    install = _installation(options, body, region)
    try:
        there = strip(body, Ownership(install.owner, install.store.arn if install.store.bucket else None))
        names = (options.cluster, options.service or body["family"], body["family"])
        subject = Subject(None, region, *names, there.app, adopted=there.adopted)
        routes = _routes(read_specs(options.specs), subject)
        desired = compose(routes, subject, install)
    except ForeignRouter as error:
        raise CommandError(f"{options.task_definition}: ForeignRouter: {error}") from error
    except Refusal as error:
        raise CommandError(f"{options.task_definition}: {error.reason}: {error}") from error
    except Undecidable as error:
        raise CommandError(f"route {error.route}: {error.needs}") from error
    if desired.overlay is None:
        raise CommandError(
            f"no route selects {shown(subject.name)} in {options.specs}; check target.services and --cluster"
        )
    if desired.configs:
        _deliver(desired.configs, install.store, options)
    for group in sorted(desired.made_groups):
        say(f"note: log group {group} (the router's own logs) must exist before a task starts")
    for route in routes:
        if route.document.spec.suspend or route.document.spec.mode == "warn":
            why = "suspended" if route.document.spec.suspend else "in mode: warn"
            say(f"note: {route.key} is {why}: the controller would write nothing here, inject does")
    for note in desired.notes:
        say(f"note: {note.route}: {note.message}")
    ignored = [pointer for route in routes for pointer in route.document.spec.ignore]
    write_definition(put_but(there.app, desired.overlay, ignored, body, there.router), options.out)


def restore(task_definition: str, out: Path | None) -> None:
    """Any LogRoute router out, the originals back. Raises CommandError."""
    body = read_definition(task_definition)
    try:
        stripped = strip(body, Ownership())
    except ForeignRouter as error:
        say(f"note: {error}; written as it was")
        stripped = Stripped(body, None, None, Originals())
    if stripped.router is None:
        say("note: there is no LogRoute router in it")
    elif stripped.originals is None:
        raise CommandError(f"{task_definition}: the router's labels are damaged: what was there before is not known")
    write_definition(stripped.app, out)


def read_definition(path: str) -> Body:
    """Register input or describe output, from a file or `-`."""
    try:
        text = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return from_file(orjson.loads(text))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except NotATaskDefinition as error:
        raise CommandError(f"{path}: {error}") from error


def write_definition(body: Body, out: Path | None) -> None:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if out is None:
        sys.stdout.buffer.write(text)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(text)
    except OSError as error:
        raise CommandError(f"{out}: {error.strerror}") from error


def read_specs(path: Path) -> SpecSet:
    from controller.cli.validate import read_paths

    specs = read_paths([path])
    errors = [problem for problem in specs.problems if problem.severity is Severity.ERROR]
    for problem in specs.problems:
        say(str(problem))
    if errors:
        raise CommandError(f"{path}: {len(errors)} error(s); nothing was written")
    return specs


def _routes(specs: SpecSet, subject: Subject) -> list[Route]:
    return RouteIndex(specs.routes, Home(None, subject.region)).routes_for(subject)


def _installation(options: InjectOptions, body: Body, region: str | None) -> Installation:
    url = options.config_store or os.environ.get("LOGROUTE_CONFIG_STORE")
    owner = os.environ.get("LOGROUTE_OWNER") or "logroute"
    if url is None:
        return Installation(owner, NO_STORE)
    try:
        return Installation(owner, config_store(url, account=account_of(body), region=region))
    except StoreUrlError as error:
        raise CommandError(str(error)) from error


def _deliver(configs: Iterable[ConfigObject], store: ConfigStore, options: InjectOptions) -> None:
    if store is NO_STORE:
        raise CommandError("the definition needs config objects in S3: give --config-store s3://bucket/prefix")
    if options.upload:
        _upload(configs, store, options.region)
    elif options.config_dir is not None:
        for config in configs:
            _write(options.config_dir / store.bucket / store.key(config.path), config.body)
    else:
        raise CommandError("the definition names config objects: give --config-dir DIR to write them, or --upload")


def _write(path: Path, body: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _upload(configs: Iterable[ConfigObject], store: ConfigStore, region: str | None) -> None:
    from controller.api.keys import Place
    from controller.applying.configs import ConfigShelf
    from controller.aws.accounts import AwsAccount, Options, Role
    from controller.aws.ports import AwsError

    account = AwsAccount(Place("main", region or ""), Role(), Options(hides=register))
    shelf = ConfigShelf(account.bucket(store.bucket), store)
    try:
        for config in configs:
            shelf.put(config)
    except AwsError as error:
        raise CommandError(str(error)) from error
