"""What specs refuse today is taken out by name and place, with what cannot be without it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.imports import class_of, from_config, lost, pipeline, said, specs

OUT = "[OUTPUT]\n    Name s3\n    Match *\n    bucket b\n    region eu-west-1\n"
TCP = "[INPUT]\n    Name tcp\n    Tag {tag}\n    Listen 127.0.0.1\n{port}"
REWRITE = "[FILTER]\n    Name rewrite_tag\n    Match app-*\n    Rule $log {word} {word}.x false\n    Emitter_Name one\n"


@pytest.mark.parametrize("option", ["Plugins_File", "Streams_File", "Log_File"])
def test_files_of_the_service_that_logroute_refuses_are_told(option: str) -> None:
    found = from_config(f"[SERVICE]\n    Flush 2\n    {option} /etc/x.conf\n{OUT}")
    assert class_of(found)["service"] == {"flush": "2"}
    [told] = lost(found)
    assert told.startswith(f"/extra.conf:3: not imported: {option.lower()}: ")
    assert f"# not imported: {option.lower()} cannot stand here" in found.yaml


@pytest.mark.parametrize("port", ["", "    Port 5171\n"])
def test_of_two_inputs_on_one_port_the_second_goes_whole(port: str) -> None:
    found = from_config(TCP.format(tag="a", port=port) + TCP.format(tag="b", port=port) + OUT)
    assert [one["tag"] for one in pipeline(found)["inputs"]] == ["a"]
    [told] = lost(found)
    assert "not imported: tcp: another section of this route listens on port" in told


def test_of_two_emitters_of_one_name_one_loses_it_and_is_told() -> None:
    found = from_config(REWRITE.format(word="A") + REWRITE.format(word="B") + OUT)
    assert [one.get("emitter_name") for one in pipeline(found)["filters"]] == ["one", None]
    [told] = lost(found)
    assert told.startswith("/extra.conf:10: not imported: emitter_name: another filter of this route has")


PARSER = "[FILTER]\n    Name parser\n    Match *\n    Key_Name log\n    Parser {name}\n"


def test_a_parser_that_nobody_defines_goes_with_its_filter() -> None:
    found = from_config(PARSER.format(name="nobodys") + OUT)
    assert "filters" not in pipeline(found)
    [told] = lost(found)
    assert "not imported: parser: nobody defines the parser" in told
    assert "key_name log" in "\n".join(line.strip("# ") for line in found.yaml.splitlines())


@pytest.mark.parametrize("service", ["", "[SERVICE]\n    Parsers_File /fluent-bit/parsers/parsers.conf\n"])
def test_parsers_of_the_image_keep_their_names(service: str) -> None:
    found = from_config(service + PARSER.format(name="nginx") + OUT)
    assert [one["parser"] for one in pipeline(found)["filters"]] == ["nginx"]
    assert lost(found) == []


ADDED = "LogRoute sets it where specs do not say it"


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (OUT, "[OUTPUT] retry_limit:"),
        (OUT + OUT, "[OUTPUT] retry_limit, store_dir:"),
        (TCP.format(tag="a", port="") + OUT, "[INPUT] mem_buf_limit; [OUTPUT] retry_limit:"),
        ("[FILTER]\n    Name multiline\n    Match *\n    multiline.key_content log\n    multiline.parser go\n" + OUT,
         "[FILTER] record_modifier; [OUTPUT] retry_limit:"),
        (PARSER.format(name="json") + OUT, "[OUTPUT] retry_limit; [PARSER] json:"),
    ],
)  # fmt: skip
def test_what_logroute_adds_is_said_once_at_the_end_and_not_written(text: str, added: str) -> None:
    found = from_config(f"[SERVICE]\n    Flush 1\n    Grace 30\n    Log_Level info\n{text}")
    last = str(found.remarks[-1])
    assert last.startswith(f"task definition: note: added {added} {ADDED}")
    assert "tries again five times" in last
    assert sum(ADDED in str(one) for one in found.remarks) == 1
    assert not {"retry_limit", "store_dir", "mem_buf_limit"} & {key for one in _plugins(found) for key in one}
    assert lost(found) == []
    assert specs(found).routes


def _plugins(found: Any) -> list[dict[str, Any]]:
    made = pipeline(found)
    return [*made.get("inputs", ()), *made["outputs"]]


def test_what_the_original_says_of_retries_stays() -> None:
    found = from_config(f"[SERVICE]\n    Flush 1\n    Grace 30\n    Log_Level info\n{OUT}    Retry_Limit False\n")
    assert pipeline(found)["outputs"][0]["retry_limit"] == "False"
    assert ADDED not in said(found)


def test_a_buffer_on_disk_is_said_where_the_class_adds_to_it() -> None:
    text = "[SERVICE]\n    storage.path /data\n[INPUT]\n    Name forward\n    unix_path /var/run/fluent.sock\n"
    found = from_config(f"{text}    storage.type filesystem\n{OUT}")
    assert class_of(found)["buffer"]["path"] == "/data"
    assert "storage.type, storage.inherit, storage.max_chunks_up" in said(found)
    assert lost(found) == []
