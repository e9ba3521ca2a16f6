"""Lints of outputs that send in clear, or to nobody knows whom."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.endpoints import bare, hosts_of, is_public
from controller.fluentbit.lints.lint import Lint, Options, text
from controller.fluentbit.types import is_true
from controller.fluentbit.words import shown

TLS_OFF = Lint(
    "TLS_OFF",
    Severity.WARNING,
    "An output to a public host without TLS. Private addresses, names of one label and names that end like those of "
    "private networks (`.internal`, `.local`, …) are not public.",
    "Most plugins send in clear unless `tls` is on: logs, and the keys that open the destination, can be read and "
    "changed on the way.",
    "add tls: On",
)
TLS_UNVERIFIED = Lint(
    "TLS_UNVERIFIED",
    Severity.WARNING,
    "`tls.verify` off toward a public host.",
    "Whoever gets between can show any certificate, and reads logs and keys. Encryption to an unknown is none.",
    "leave tls.verify out; for a certificate of your own, name its issuer in tls.ca_file",
)

OPT_IN = frozenset(
    [
        "datadog",
        "es",
        "forward",
        "gelf",
        "http",
        "influxdb",
        "kafka-rest",
        "loki",
        "opensearch",
        "opentelemetry",
        "prometheus_remote_write",
        "skywalking",
        "splunk",
        "syslog",
        "tcp",
        "websocket",
    ]
)
"""FLB_IO_OPT_TLS in the plugin's flags; all others with hosts do TLS by themselves, but for those below."""
_DEFAULT_HOSTS = {"datadog": "http-intake.logs.datadoghq.com"}
_MODES = frozenset({"gelf", "syslog"})
"""With `mode`: udp by default, which knows no TLS."""
_KAFKA_PROTOCOL = "rdkafka.security.protocol"
_OFF = frozenset({"off", "false", "no"})


def lint_tls(name: str, options: Options) -> Iterator[Finding]:
    """For any output. `name`: its plugin in lower case."""
    if name == "kafka":
        yield from _kafka(options)
    elif name == "udp":
        if is_public(text(options, "host")):
            yield _in_clear(("host",), text(options, "host"), "use the plugin tcp with tls: On: udp has no TLS")
    elif name in OPT_IN:
        host, at = _host(name, options)
        if is_public(host):
            yield from _opt_in(name, host, at, options)
    elif _unchecked(options) and ("endpoint" not in options or is_public(text(options, "endpoint"))):
        yield _unverified("tls.verify")


def _opt_in(name: str, host: str, at: str, options: Options) -> Iterator[Finding]:
    if not _secure(name, options):
        hint = "set mode: tls and tls: On" if name in _MODES else ""
        yield _in_clear(("tls",) if "tls" in options else (at,), host, hint)
    elif _unchecked(options):
        yield _unverified("tls.verify")


def _secure(name: str, options: Options) -> bool:
    on = is_true(text(options, "tls"))
    if name not in _MODES:
        return on
    mode = text(options, "mode").lower()
    return mode in ("tls", "dtls") or (mode == "tcp" and on)


def _unchecked(options: Options) -> bool:
    return text(options, "tls.verify").lower() in _OFF


def _host(name: str, options: Options) -> tuple[str, str]:
    """The host and the option that says it."""
    if host := text(options, "host"):
        return host, "host"
    if "cloud_id" in options and name == "es":
        return "cloud.elastic.co", "cloud_id"
    return _DEFAULT_HOSTS.get(name, "") if "upstream" not in options else "", "name"


def _kafka(options: Options) -> Iterator[Finding]:
    host = next((one for one in hosts_of(text(options, "brokers")) if is_public(one)), None)
    if host is None or is_true(text(options, "aws_msk_iam")):
        return
    if "ssl" not in text(options, _KAFKA_PROTOCOL).lower():
        at = _KAFKA_PROTOCOL if _KAFKA_PROTOCOL in options else "brokers"
        yield _in_clear((at,), host, f"set {_KAFKA_PROTOCOL}: ssl, or sasl_ssl")
    elif text(options, check := "rdkafka.enable.ssl.certificate.verification").lower() in _OFF:
        yield _unverified(check)


def _in_clear(path: tuple[str, ...], host: str, hint: str = "") -> Finding:
    return TLS_OFF.at(path, f"logs go in clear to {shown(bare(host))}, a public host: TLS is off", hint)


def _unverified(key: str) -> Finding:
    return TLS_UNVERIFIED.at((key,), f"{key} is off: the destination's certificate is not looked at")
