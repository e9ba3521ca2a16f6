"""`logroute import`: a hand-made FireLens router in, specs out; from files, or from a live service."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from controller.api.values import DNS_LABEL
from controller.cli.console import fail, say
from controller.cli.failures import CommandError
from controller.cli.taskdefs import read_definition, write_definition
from controller.fluentbit.classic import ClassicError, SourceFile
from controller.fluentbit.engines import ENGINES
from controller.importing.definition import ConfigRef
from controller.importing.importer import Imported, Wish, import_route
from controller.importing.remarks import Unimportable
from controller.taskdef.body import Body, NotATaskDefinition, register_form
from controller.telemetry.redaction import register

if TYPE_CHECKING:
    from controller.aws.accounts import AwsAccount

MAX_BYTES = 4 * 1024 * 1024
"""Of one config file. Fluent Bit has no limit; nobody writes such by hand."""
_S3_ARN = re.compile(r"arn:[a-z-]+:s3:::([^/]+)/(.+)")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command line said. Without `task_definition`, `cluster` and `service` name a live service."""

    task_definition: str | None
    cluster: str | None
    service: str | None
    region: str | None
    config_dir: Path | None
    config: Path | None
    name: str | None
    namespace: str
    engine: str | None
    out: Path | None
    definition_out: Path | None


def wrong_usage(options: ImportOptions) -> str | None:
    if options.task_definition is None and not (options.cluster and options.service):
        return "give --task-definition FILE, or --cluster and --service of a live service"
    if options.engine is not None and options.engine not in ENGINES:
        return f"--engine is one of {', '.join(ENGINES)}"
    for option, name in (("--name", options.name), ("--namespace", options.namespace)):
        if name is not None and not re.fullmatch(DNS_LABEL, name):
            return f"{option} must be a DNS label: a-z, 0-9 and -, at most 63"
    return None


def import_(options: ImportOptions) -> int:
    """Raises CommandError, AwsError."""
    account = _Account(options.region)
    body = _definition(options, account)
    wish = Wish(
        options.name,
        options.namespace,
        options.cluster or "*",
        options.service,
        options.engine,
        options.region,
    )
    alone = _given(options.config) if options.config else None
    try:
        found = import_route(body, _finder(options.config_dir, account), wish, alone)
    except (Unimportable, ClassicError) as error:
        raise CommandError(f"{_source(options)}: {error}") from error
    return _hand_over(found, options)


def _source(options: ImportOptions) -> str:
    return options.task_definition or f"{options.cluster}/{options.service}"


def _hand_over(found: Imported, options: ImportOptions) -> int:
    for remark in found.remarks:
        say(str(remark))
    if found.problems:
        for problem in found.problems:
            fail(f"{problem.code}: {problem.message}; {problem.hint}")
        raise CommandError(f"{_source(options)}: what is left is no valid LogRoute; nothing was written")
    if options.definition_out:
        write_definition(found.plain, options.definition_out)
    _write(found.yaml, options.out)
    lost = sum(remark.lost for remark in found.remarks)
    say(f"imported; remarks about what is missing: {lost}" if lost else "imported")
    return 0


def _write(yaml: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(yaml)
        sys.stdout.flush()
        return
    try:
        out.write_text(yaml)
    except OSError as error:
        raise CommandError(f"{out}: {error.strerror}") from error


class _Account:
    """AWS, should it be needed: made when first asked for."""

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._made: AwsAccount | None = None

    def __call__(self) -> AwsAccount:
        from controller.api.keys import Place
        from controller.aws.accounts import AwsAccount, Options, Role

        if self._made is None:
            self._made = AwsAccount(Place("main", self._region or ""), Role(), Options(hides=register))
        return self._made


def _definition(options: ImportOptions, account: _Account) -> Body:
    if options.task_definition is not None:
        return read_definition(options.task_definition)
    service, cluster = options.service or "", options.cluster or ""
    services = account().ecs.describe_services(cluster, [service])
    live = [one for one in services.found if one.get("status") != "INACTIVE"]
    if not live:
        raise CommandError(f"there is no service {service} in cluster {cluster}")
    reference = live[0].get("taskDefinition")
    if not reference:
        raise CommandError(f"{cluster}/{service} names no task definition: its deployment controller keeps task sets")
    try:
        return register_form(account().ecs.describe_task_definition(reference, cached=False))
    except NotATaskDefinition as error:
        raise CommandError(f"{reference}: {error}") from error


def _given(path: Path) -> SourceFile:
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    return _read(path)


def _read(path: Path) -> SourceFile:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    if len(text) > MAX_BYTES:
        raise CommandError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB: that is no config file")
    return SourceFile(str(path), text)


def _finder(folder: Path | None, account: _Account) -> Callable[[ConfigRef], tuple[SourceFile, ...]]:
    def find(wanted: ConfigRef) -> tuple[SourceFile, ...]:
        if folder and (paths := _in_folder(folder, wanted)):
            return tuple(map(_read, paths))
        return (_fetched(wanted, account),) if wanted.kind == "s3" else ()

    return find


def _in_folder(folder: Path, wanted: ConfigRef) -> list[Path]:
    """Below the folder as `<bucket>/<key>` or as its path in the image, then by its base name."""
    if not folder.is_dir():
        raise CommandError(f"{folder}: there is no such folder")
    full = _path(wanted)
    for relative in dict.fromkeys((full, PurePosixPath(full).name)):
        if ".." in PurePosixPath(relative).parts or not relative:
            continue
        if paths := list(_matching(folder, relative)):
            return paths
    return []


def _path(wanted: ConfigRef) -> str:
    match = _S3_ARN.fullmatch(wanted.value) if wanted.kind == "s3" else None
    return f"{match[1]}/{match[2]}" if match else wanted.value.lstrip("/")


def _matching(folder: Path, relative: str) -> Iterable[Path]:
    """In order of name, where Fluent Bit takes whatever order the folder has."""
    if "*" in relative:
        return sorted(path for path in folder.glob(relative) if path.is_file())
    path = folder / relative
    return [path] if path.is_file() else []


def _fetched(wanted: ConfigRef, account: _Account) -> SourceFile:
    from controller.aws.ports import AwsError

    match = _S3_ARN.fullmatch(wanted.value)
    if not match:
        raise CommandError(f"{wanted.named_by}: {wanted.value} is no ARN of an S3 object (arn:aws:s3:::bucket/key)")
    try:
        stored = account().bucket(match[1]).get(match[2], max_bytes=MAX_BYTES)
    except AwsError as error:
        base = PurePosixPath(match[2]).name
        raise CommandError(f"{wanted.named_by}: {error}. Or put {base} into a folder and give --config-dir") from error
    return SourceFile(f"s3://{match[1]}/{match[2]}", stored.body)
