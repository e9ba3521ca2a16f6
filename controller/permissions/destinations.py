"""What an output does at AWS with the credentials of its task, plugin by plugin (read in Fluent Bit's sources).

An option may hold variables and templates; from where one begins, a resource is `*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from controller.fluentbit.types import is_true
from controller.permissions.controller import with_streams

Options = Mapping[str, Any]
_VARIES = re.compile(r"[$%*?].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Access:
    """Actions on resources. `remark`: what nobody can tell from a spec."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    remark: str = ""
    asks: tuple[str, ...] = ()
    """What IAM can be asked about instead of `resources`: such as the task will name. A right on one of them is
    enough. Empty: nobody can tell.
    """


@dataclass(frozen=True, slots=True)
class Where:
    """The task's own account, and the region where an option names none; `*` where that is not known."""

    partition: str
    account: str
    region: str

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        return f"arn:{self.partition}:{service}:{fixed(region) if region else self.region}:{self.account}:{resource}"


def fixed(value: Any) -> str:
    """As far as it is the same for every record and task, then `*`."""
    return _VARIES.sub("*", str(value))


_STAMPS = {"Y": "2026", "y": "26", "B": "November", "b": "Nov", "A": "Monday", "a": "Mon", "F": "2026-11-23", "s": "1"}
_CODE = re.compile(r"%([A-Za-z])|\$(?:UUID|INDEX|TAG(?:\[\d\])?)")


def concrete(value: Any) -> str:
    """An S3 key such as the format makes it; "" where it holds what nobody can tell (out_s3 of Fluent Bit, and
    strftime).
    """
    made = _CODE.sub(lambda found: _STAMPS.get(found[1], "11") if found[1] else "logroute", str(value))
    return "" if _VARIES.search(made) else made


def known(*resources: str) -> tuple[str, ...]:
    """Those without a wildcard."""
    return tuple(one for one in resources if not re.search(r"[*?]", one))


def role_of(options: Options) -> str:
    """The role that an output assumes first, and whose rights count then; "" for the task's own."""
    return next((str(options[name]) for name in ("role_arn", "aws_role_arn", "sts_role_arn") if options.get(name)), "")


def accesses(options: Options, where: Where) -> Iterator[Access]:
    """Of one output. Nothing where the plugin talks to something else than AWS."""
    if of := PLUGINS.get(str(options.get("name", "")).lower()):
        yield from of(options, where)


def _cloudwatch(options: Options, where: Where) -> Iterator[Access]:
    region = options.get("region")
    group = "*" if options.get("log_group_template") else fixed(options.get("log_group_name", "*"))
    name = where.arn("logs", f"log-group:{group}", region)
    yield writes_streams(name)
    if _is_on(options, "auto_create_group"):
        retention = ("logs:PutRetentionPolicy",) if options.get("log_retention_days") else ()
        yield makes_group(name, *retention)


def writes_streams(group: str) -> Access:
    """`group`: its ARN."""
    actions = ("logs:CreateLogStream", "logs:PutLogEvents")
    return Access(actions, with_streams(group)[-1:], asks=known(f"{group}:log-stream:logroute"))


def makes_group(group: str, *more: str) -> Access:
    """AWS asks for either form, by action."""
    return Access(("logs:CreateLogGroup", *more), with_streams(group), asks=known(group, f"{group}:log-stream:"))


def _s3(options: Options, where: Where) -> Iterator[Access]:
    form = str(options.get("s3_key_format", "/fluent-bit-logs/$TAG")).lstrip("/")
    bucket = f"arn:{where.partition}:s3:::{fixed(options.get('bucket', '*'))}"
    key, one = fixed(form).rstrip("*"), concrete(form) or "*"
    actions = ("s3:PutObject", *(("s3:PutObjectAcl",) if options.get("canned_acl") else ()))
    remark = "a bucket that is encrypted with a KMS key of yours needs kms:GenerateDataKey and kms:Decrypt on that key"
    yield Access(actions, (f"{bucket}/{key}*",), remark, known(f"{bucket}/{one}"))


def _streams(options: Options, where: Where) -> Iterator[Access]:
    stream = fixed(options.get("stream", "*"))
    resource = where.arn("kinesis", f"stream/{stream}", options.get("region"))
    yield Access(("kinesis:PutRecords",), (resource,), asks=known(resource))


def _firehose(options: Options, where: Where) -> Iterator[Access]:
    name = fixed(options.get("delivery_stream", "*"))
    resource = where.arn("firehose", f"deliverystream/{name}", options.get("region"))
    yield Access(("firehose:PutRecordBatch",), (resource,), asks=known(resource))


def _search(options: Options, where: Where) -> Iterator[Access]:
    if not _is_on(options, "aws_auth"):
        return
    region, host = options.get("aws_region"), str(options.get("host", ""))
    if options.get("aws_service_name") == "aoss":
        remark = "OpenSearch Serverless asks its data access policy too: the task role must be a principal of it"
        yield Access(("aoss:APIAccessAll",), (where.arn("aoss", "collection/*", region),), remark)
        return
    found = re.match(r"(?:search|vpc)-([a-z0-9-]+)-[a-z0-9]+\.", host)
    domain = where.arn("es", f"domain/{found[1] if found else '*'}", region)
    yield Access(("es:ESHttpPost",), (f"{domain}/*",), asks=known(f"{domain}/_bulk"))


def _prometheus(options: Options, where: Where) -> Iterator[Access]:
    if not _is_on(options, "aws_auth"):
        return
    found = re.search(r"/workspaces/([A-Za-z0-9-]+)/", str(options.get("uri", "")))
    resource = where.arn("aps", f"workspace/{found[1] if found else '*'}", options.get("aws_region"))
    yield Access(("aps:RemoteWrite",), (resource,), asks=known(resource))


SIGNED = {
    "osis": (("osis:Ingest",), "pipeline/*"),
    "aps": (("aps:RemoteWrite",), "workspace/*"),
    "es": (("es:ESHttpPost",), "domain/*"),
}
"""Services to which `http` and `opentelemetry` may sign their requests."""


def _signed(options: Options, where: Where) -> Iterator[Access]:
    if not _is_on(options, "aws_auth"):
        return
    own = "logs" if str(options.get("name", "")).lower() == "opentelemetry" else ""
    service = str(options.get("aws_service", own))
    if str(options.get("http_method", "POST")).upper() != "POST" or service not in SIGNED:
        host = urlsplit(f"//{options.get('host', '')}").hostname or "its host"
        yield Access((), (), f"it signs requests to {service or 'AWS'} at {host}: add the action that takes them")
        return
    actions, resource = SIGNED[service]
    yield Access(actions, (where.arn(service, resource, options.get("aws_region")),))


def _kafka(options: Options, where: Where) -> Iterator[Access]:
    if _is_on(options, "aws_msk_iam"):
        resource = where.arn("kafka", "cluster/*")
        remark = "MSK looks at topics too: add kafka-cluster:WriteData and DescribeTopic on those that it writes to"
        yield Access(("kafka-cluster:Connect",), (resource,), remark)


def _is_on(options: Options, name: str) -> bool:
    return is_true(str(options.get(name, "off")))


PLUGINS: dict[str, Callable[[Options, Where], Iterator[Access]]] = {
    "cloudwatch_logs": _cloudwatch,
    "s3": _s3,
    "kinesis_streams": _streams,
    "kinesis_firehose": _firehose,
    "es": _search,
    "opensearch": _search,
    "prometheus_remote_write": _prometheus,
    "http": _signed,
    "opentelemetry": _signed,
    "kafka": _kafka,
}
