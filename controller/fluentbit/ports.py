"""The ports that plugins listen on. A second listener on one port stops Fluent Bit, and all containers of an awsvpc
task share their ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Port(NamedTuple):
    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}" if self.protocol != "tcp" else str(self.number)


LISTENING = {
    "collectd": Port(25826, "udp"),
    "elasticsearch": Port(9200),
    "forward": Port(24224),
    "http": Port(9880),
    "mqtt": Port(1883),
    "opentelemetry": Port(4318),
    "prometheus_remote_write": Port(8080),
    "splunk": Port(8088),
    "statsd": Port(8125, "udp"),
    "syslog": Port(5140),
    "tcp": Port(5170),
    "udp": Port(5170, "udp"),
}
"""Inputs that wait for connections, and where if they are not told (each plugin's flb_input_net_default_listener)."""
EXPORTERS = {"prometheus_exporter": Port(2021), "vivo_exporter": Port(2025)}
"""Outputs that do."""
HTTP_SERVER = Port(2020)
"""Fluent Bit's own, where the service does not say."""


def input_port(options: Mapping[str, Any]) -> Port | None:
    """Where an input listens; None for one that does not, or on a port that only run time tells.

    `options` have their names in lower case.
    """
    name = str(options.get("name", "")).lower()
    usual = LISTENING.get(name)
    if usual is None or (name == "forward" and "unix_path" in options):
        return None
    if name == "syslog":
        mode = str(options.get("mode", "unix_udp")).lower()
        if mode not in ("tcp", "udp"):
            return None
        usual = Port(usual.number, mode)
    return _stated(options, usual)


def output_port(options: Mapping[str, Any]) -> Port | None:
    """The same for an output."""
    usual = EXPORTERS.get(str(options.get("name", "")).lower())
    return _stated(options, usual) if usual else None


def _stated(options: Mapping[str, Any], usual: Port) -> Port | None:
    said = str(options.get("port", usual.number))
    return Port(int(said), usual.protocol) if said.isascii() and said.isdigit() else None
