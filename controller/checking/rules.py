"""Which options reach out of a config: to ports, files, hosts and programs. Names in lower case.

Read from the plugins of Fluent Bit 1.9.10, 5.0.9 and 5.1.1. An option that is not listed goes by how its name
ends (`_file`, `.path`), so that a plugin that is not known here stays within bounds too.
"""

from __future__ import annotations

import re

GO_PLUGINS = frozenset({"cloudwatch", "firehose", "kinesis"})
"""Of AWS's image (`-e firehose.so`); a plain engine has them not, and would call them unknown."""

ASKS_METADATA = "aws"
"""A filter that asks instance metadata when it starts, at an address of its own (filter_aws/aws.c)."""

NEVER_STARTED = {
    "INPUT": frozenset({"exec", "exec_wasi"}),
    "FILTER": frozenset({"wasm"}),
    "OUTPUT": frozenset({"exit"}),
}
"""They run programs, or end the engine. Validation refuses them already; this is the second lock."""

DROPPED = frozenset(
    {
        "daemon",  # it would leave the run's session
        "exclude_path",
        "flush.adaptive",
        "kube_token_command",  # popen() at start (filter_kubernetes/kube_meta.c)
        "log_file",  # the log is what a check reads
        "profile",
        "aws_profile",
    }
)
RDKAFKA = re.compile(r"rdkafka\..*(?:plugin|librar|kinit|location|path|keytab|server|broker|engine|provider|url)")
"""librdkafka loads libraries, runs kinit and connects by these."""

NEEDED = {
    "config_file_location": "",
    "google_service_credentials": "",
    "label_map_path": "",
    "model_file": "",
    "parsers_file": "parser",
    "plugins_file": "plugin name",
    "script": "",
    "streams_file": "stream",
    "typesdb": "",
    "upstream": "",
}
"""Files of the router's image. None of this machine is ever read in their place: the engine quotes what it reads.
The word is in what it says where it misses one of a service's.
"""
WRITTEN = frozenset(
    {
        "blob_database_file",
        "buffer_dir",
        "database_file",
        "db",
        "fallback_path",
        "socket_path",
        "storage.path",
        "store_dir",
        "unix_path",
    }
)
MADE = {
    ("OUTPUT", "s3"): ("store_dir",),
    ("OUTPUT", "gcs"): ("store_dir",),
    ("OUTPUT", "azure_blob"): ("buffer_dir",),
    ("OUTPUT", "azure_kusto"): ("buffer_dir",),
    ("INPUT", "docker_events"): ("unix_path",),
    ("INPUT", "unix_socket"): ("socket_path",),
}
"""What these use under /tmp or /var when the config does not say: stated, so that it lies in the run's folder."""
THERE = {
    ("INPUT", "collectd"): "/usr/share/collectd/types.db",
    ("INPUT", "docker_events"): "/var/run/docker.sock",
    ("OUTPUT", "gcs"): "the credentials of the task",
    ("OUTPUT", "stackdriver"): "the credentials of the task",
}
"""What these look for when they start, and what nobody knows of here."""
TLS_FILES = frozenset(
    {
        "tls.ca_file",
        "tls.ca_path",
        "tls.crt_file",
        "tls.key_file",
        "tls.key_passwd",
        "tls.proxy.ca_file",
        "tls.proxy.ca_path",
    }
)
"""An engine starts without them: certificates are looked at when it connects."""
HOSTS = frozenset(
    {
        "aws_pod_association_host",
        "aws_sts_endpoint",
        "ecs_meta_host",
        "endpoint",
        "host",
        "kubelet_host",
        "sts_endpoint",
    }
)
URLS = frozenset(
    {
        "authorization_endpoint_url",
        "configuration_endpoint_url",
        "kube_url",
        "metadata_server",
        "proxy",
        "schema.registry.url",
        "schema_registry_url",
    }
)
BROKERS = frozenset({"brokers", "bootstrap.servers"})
DEAD_HOST, DEAD_PORT = "127.0.0.1", "9"
"""Discard: where nothing answers. Other upstreams go by way of a proxy there (see engine.py)."""
LEVELS = frozenset({"off", "error", "warn", "warning", "info", "debug", "trace"})

ROOTS = re.compile(r"path\..*|path_sysfs")
"""Where sensors look instead of /proc and /sys: left out, so that they look there."""
_FILES = re.compile(r"(?:^|[._])(?:file|path|dir|folder|database|socket|sock)$")
_NO_FILES = frozenset({"metrics_path", "static_file_path", "url_path", "logs_path", "traces_path", "profiles_path"})


def names_a_file(kind: str, plugin: str, key: str) -> bool:
    """`path` and `file` of most outputs are part of a URL, or of a record."""
    if key in _NO_FILES or not (key in WRITTEN or key in NEEDED or _FILES.search(key)):
        return False
    return not (kind == "OUTPUT" and key in ("path", "file") and plugin != "file")
