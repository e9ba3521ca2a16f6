"""Options that no spec may set, whatever the engine: they run programs, load libraries, or take the log away."""

from __future__ import annotations

from typing import NamedTuple


class Refused(NamedTuple):
    reason: str
    hint: str


_RUNS = Refused("it runs a program in the router, with the rights of the task", "delete it")
_LOADS = Refused("it loads a library into the router", "use an image that needs no more than its own")
_KAFKA = {
    "rdkafka.plugin.library.paths": _LOADS,
    "rdkafka.sasl.kerberos.kinit.cmd": _RUNS,
    "rdkafka.ssl.engine.location": _LOADS,
    "rdkafka.ssl.providers": _LOADS,
}
_EVERYWHERE = {
    "processors": Refused("classic config, which FireLens loads, has no processors", "use filters"),
}
_OWN = {
    ("service", "service"): {
        "plugins_file": Refused("it loads programs into the router", "use an image that holds the plugin"),
        "streams_file": Refused("the init image loads no stream processor's file", "use filters"),
        "log_file": Refused("the router's own log would not reach its logConfiguration", "leave it out"),
    },
    ("filters", "kubernetes"): {"kube_token_command": _RUNS},
    ("inputs", "kafka"): _KAFKA,
    ("outputs", "kafka"): _KAFKA,
}


def refused_option(kind: str, plugin: str, option: str) -> Refused | None:
    """Why an option, by its names in lower case, cannot be set; None where it can."""
    return _EVERYWHERE.get(option) or _OWN.get((kind, plugin), {}).get(option)
