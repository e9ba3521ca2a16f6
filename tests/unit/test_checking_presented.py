"""What of a config reaches the engine here: its own sense, and no hand on anything outside."""

from __future__ import annotations

from itertools import count

import pytest

from controller.checking.harmless import NotStarted
from controller.checking.presented import STAND_IN, Presented, present
from controller.fluentbit.reader import from_classic

HEAD = "[SERVICE]\n    flush 1\n    log_level debug\n"


def presented(*sections: str, parsers: bytes | None = None, engine: str = "5.0.9") -> Presented:
    text = HEAD + "".join(f"\n[{one.replace(';', chr(10) + '   ')}\n" for one in sections)
    numbers = count(40000)
    return present(text.encode(), parsers, engine, lambda: next(numbers))


def section(found: Presented, index: int) -> dict[str, str]:
    return dict(from_classic(found.files["pipeline.conf"]).sections[index].entries)


def test_the_files_are_those_that_ecs_hands_to_a_router() -> None:
    found = presented("OUTPUT]; name stdout; match *", parsers=b"[PARSER]\n    name p\n    format json\n")
    assert set(found.files) == {"agent.conf", "pipeline.conf", "init.conf", "parsers.conf"}
    assert found.files["init.conf"] == b"@INCLUDE agent.conf\n@INCLUDE pipeline.conf\n"
    assert found.arguments == ("-c", "init.conf", "-R", "parsers.conf")
    agent = from_classic(found.files["agent.conf"]).sections
    assert [(one.name, one.entries[0][1]) for one in agent] == [
        ("INPUT", "forward"),
        ("INPUT", "forward"),
        ("INPUT", "tcp"),
        ("FILTER", "record_modifier"),
        ("OUTPUT", "null"),
    ]


def test_nothing_is_ever_flushed_and_the_engine_says_when_it_is_up() -> None:
    service = section(presented(), 0)
    assert float(service["flush"]) > 3600
    assert service["log_level"] == "info"
    assert service["http_listen"] == "127.0.0.1"


def test_a_config_without_a_service_section_is_quiet_too() -> None:
    found = present(b"[OUTPUT]\n    name stdout\n    match *\n", None, "5.0.9", lambda: 40000)
    assert b"flush 86400" in found.files["pipeline.conf"]


def test_a_bad_log_level_stays_bad() -> None:
    found = present(b"[SERVICE]\n    log_level loud\n", None, "5.0.9", lambda: 40000)
    assert section(found, 0)["log_level"] == "loud"


def test_equal_ports_stay_equal_and_others_apart() -> None:
    found = presented(
        "INPUT]; name tcp; tag a; port 24224; listen 0.0.0.0",
        "INPUT]; name udp; tag b; port 5000",
        "INPUT]; name tcp; tag c; port 5000",
        "INPUT]; name http; tag d",
    )
    ports = [section(found, index)["port"] for index in range(1, 5)]
    agent = dict(from_classic(found.files["agent.conf"]).sections[1].entries)["Port"]
    assert ports[0] == agent
    assert ports[1] == ports[2]
    assert len({*ports, section(found, 0)["http_port"]}) == 4
    assert {section(found, index)["listen"] for index in range(1, 5)} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "call",
    ["cb", "end", "x() os.execute('id') function y", 'a"b', "os.execute"],
)
def test_lua_does_nothing_whatever_it_is_called(call: str) -> None:
    found = presented(f"FILTER]; name lua; match *; call {call}; code os.execute('touch /tmp/x')")
    entries = section(found, 1)
    assert entries["code"] == f"function {entries['call']}(tag, timestamp, record) return 0, timestamp, record end"
    assert entries["call"].isidentifier()
    assert "execute" not in found.files["pipeline.conf"].decode()


def test_a_lua_filter_without_code_stays_without() -> None:
    assert "code" not in section(presented("FILTER]; name lua; match *; call cb"), 1)
    assert "script" not in section(presented("FILTER]; name lua; match *; call cb; script /x.lua"), 1)


@pytest.mark.parametrize(
    "one",
    [
        "INPUT]; name exec; command id",
        "INPUT]; name exec_wasi; wasi_path /x",
        "FILTER]; name wasm; match *",
        "OUTPUT]; name exit; match *",
        "INPUT]; Name EXEC; command id",
        "INPUT]; name dummy; name exec; command id",
        "INP]; name exec; command id",
        "CUSTOM]; name x",
    ],
)
def test_what_runs_programs_or_is_not_understood_is_not_started(one: str) -> None:
    with pytest.raises(NotStarted):
        presented(one)


@pytest.mark.parametrize(
    ("one", "gone"),
    [
        ("FILTER]; name kubernetes; match *; kube_token_command id", "kube_token_command"),
        ("OUTPUT]; name kafka; match *; rdkafka.plugin.library.paths /x.so", "rdkafka.plugin.library.paths"),
        ("OUTPUT]; name kafka; match *; rdkafka.sasl.kerberos.kinit.cmd id", "rdkafka.sasl.kerberos.kinit.cmd"),
        ("OUTPUT]; name kafka; match *; rdkafka.bootstrap.servers x", "rdkafka.bootstrap.servers"),
        ("OUTPUT]; name s3; match *; profile theirs", "profile"),
        ("OUTPUT]; name http; match *; tls.key_file /etc/ssl/private/key", "tls.key_file"),
    ],
)
def test_options_that_run_or_load_or_connect_are_left_out(one: str, gone: str) -> None:
    assert gone not in section(presented(one), 1)


@pytest.mark.parametrize("key", ["daemon on", "log_file /var/log/x", "parsers_file /etc/shadow", "plugins_file /x"])
def test_the_service_neither_leaves_nor_loads_nor_writes(key: str) -> None:
    found = present(f"[SERVICE]\n    flush 1\n    {key}\n".encode(), None, "5.0.9", lambda: 40000)
    assert key.split(maxsplit=1)[0] not in section(found, 0)


@pytest.mark.parametrize(
    "one",
    [
        "INPUT]; name tail; tag x; path /etc/*; db /var/lib/x.db; exclude_path /etc/a",
        "INPUT]; name head; tag x; file /etc/shadow",
        "INPUT]; name syslog; tag x; path /var/run/s.sock; mode unix_udp",
        "INPUT]; name docker_events; tag x",
        "INPUT]; name node_exporter_metrics; tag x; collector.textfile.path /etc/*.prom",
        "FILTER]; name checklist; match *; file /etc/shadow; lookup_key log",
        "FILTER]; name geoip2; match *; database /etc/x.mmdb; lookup_key ip",
        "OUTPUT]; name file; match *; path /etc; file passwd; fallback_path /etc",
        "OUTPUT]; name s3; match *; bucket b; region us-east-1; store_dir /var/x",
        "OUTPUT]; name forward; match *; unix_path /var/run/docker.sock",
        "OUTPUT]; name loki; match *; label_map_path /etc/shadow",
        "OUTPUT]; name forward; match *; upstream /etc/shadow",
        "INPUT]; name podman_metrics; tag x; path.config /etc/shadow",
        "OUTPUT]; name somebodys; match *; secret_file /etc/shadow; state.dir /var/lib",
    ],
)
def test_no_path_of_this_machine_is_left(one: str) -> None:
    values = section(presented(one), 1).values()
    assert not [value for value in values if value.startswith(("/", "..", "~")) or "/etc" in value]


def test_what_a_plugin_keeps_under_tmp_lies_in_the_run_s_folder() -> None:
    """Else a check would upload what another Fluent Bit on this machine had left there."""
    assert section(presented("OUTPUT]; name s3; match *; bucket b"), 1)["store_dir"].startswith("moved/")
    blob = "OUTPUT]; name azure_blob; match *; account_name a"
    assert section(presented(blob), 1)["buffer_dir"].startswith("moved/")
    assert "buffer_dir" not in section(presented(blob, engine="1.9.10"), 1)


def test_urls_and_records_that_only_look_like_paths_stay() -> None:
    found = presented(
        "OUTPUT]; name es; match *; path /prefix",
        "OUTPUT]; name s3; match *; s3_key_format /x/$UUID; static_file_path On",
    )
    assert section(found, 1)["path"] == "/prefix"
    assert (section(found, 2)["s3_key_format"], section(found, 2)["static_file_path"]) == ("/x/$UUID", "On")


def test_hosts_are_dead() -> None:
    found = presented(
        "OUTPUT]; name syslog; match *; host logs.example.com; mode udp",
        "OUTPUT]; name kafka; match *; brokers a.example.com:9092,b.example.com:9092; topics t",
        "OUTPUT]; name s3; match *; endpoint https://s3.example.com; sts_endpoint https://sts.example.com",
        "INPUT]; name prometheus_scrape; tag x; host h.example.com; port 9100",
    )
    assert "example.com" not in found.files["pipeline.conf"].decode()
    assert section(found, 4)["port"] == "9"


def test_plugins_of_aws_s_image_are_taken_by_one_that_does_nothing() -> None:
    found = presented("OUTPUT]; name cloudwatch; match app-*; alias web.a.cw; region us-east-1")
    assert section(found, 1) == {"name": "null", "match": "app-*", "alias": "web.a.cw"}


def test_every_variable_has_a_value_and_none_is_a_secret() -> None:
    found = presented("OUTPUT]; name http; match *; http_passwd ${PW}; header x ${AWS_REGION}; uri /${ECS_CLUSTER}")
    assert found.variables == {"PW": STAND_IN, "AWS_REGION": "us-east-1", "ECS_CLUSTER": STAND_IN}


def test_sections_are_found_by_the_names_that_the_engine_gives_them() -> None:
    found = presented(
        "INPUT]; name tcp; tag a; port 1",
        "FILTER]; name grep; match *; regex a b",
        "OUTPUT]; name stdout; match *; alias web.a.o",
        "OUTPUT]; name stdout; match *",
    )
    assert found.section_of("input", "tcp.3") == 1
    assert found.section_of("filter", "grep.1") == 2
    assert found.section_of("output", "web.a.o") == 3
    assert found.section_of("output", "stdout.2") == 4
    assert found.section_of("input", "tcp.2") is None  # the agent's
    assert found.section_of("output", "stdout.9") is None
    assert found.section_of("output", "odd") is None
