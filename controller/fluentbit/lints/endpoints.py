"""Which hosts are out in the open, and which within the user's own network."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PRIVATE_ENDS = frozenset(
    [
        "cluster",
        "consul",
        "corp",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "mesh",
        "ns",
        "onion",
        "private",
        "service",
        "svc",
        "test",
    ]
)
"""Last labels that no public name has: of special use (RFC 6761, 6762, ICANN's .internal), or customary in Cloud
Map and service mesh namespaces.
"""
_AWS_PRIVATE = re.compile(r"internal-.*\.elb\.|.*\.vpce\.|vpc-.*\.(?:es|aoss)\.|.*\.kafka(?:-serverless)?\.")
"""Names of AWS that lead to private addresses: internal load balancers, VPC endpoints, domains in a VPC, MSK."""
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?")
_SCHEME = re.compile(r"^[a-z][a-z0-9+]*://", re.IGNORECASE)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - names to compare with


def is_public(host: str) -> bool:
    """False where it cannot be told, as for `${HOST}`."""
    name = bare(host).lower()
    if _looks_like_address(name):
        return _is_global(name)
    if not _NAME.fullmatch(name) or name.rstrip(".").rpartition(".")[2] in _PRIVATE_ENDS:
        return False
    return not (".amazonaws.com" in name and _AWS_PRIVATE.match(name))


def is_loopback(host: str) -> bool:
    name = bare(host).lower()
    return name in _LOOPBACK or name.startswith("127.") or name.endswith(".localhost")


def hosts_of(brokers: str) -> Iterable[str]:
    """`kafka`'s `a:9092, b:9092`."""
    return (bare(one) for one in brokers.split(","))


def bare(host: str) -> str:
    """Without scheme, path, brackets and port."""
    name = _SCHEME.sub("", host.strip()).partition("/")[0]
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") == 1 else name


def _looks_like_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _is_global(name: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(name).is_global
    except ValueError:
        return False
