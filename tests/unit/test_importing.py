"""What becomes of each part of a hand-made router."""

from __future__ import annotations

from typing import Any

import pytest

from controller.fluentbit.classic import SourceFile
from controller.importing.definition import ConfigRef
from controller.importing.importer import Wish, import_route
from controller.importing.remarks import Unimportable
from controller.importing.route import dns_label
from tests.support.imports import (
    CUSTOM,
    app,
    class_of,
    documents,
    from_config,
    imported,
    lost,
    pipeline,
    said,
    specs,
    task,
)

S3 = "[OUTPUT]\n    Name s3\n    Match *\n    bucket b\n    region eu-west-1\n"


@pytest.mark.parametrize(
    ("image", "written", "engine"),
    [
        ("amazon/aws-for-fluent-bit:stable", "amazon/aws-for-fluent-bit:init-latest", "1.9.10"),
        ("amazon/aws-for-fluent-bit", "amazon/aws-for-fluent-bit:init-latest", "1.9.10"),
        ("x/aws-for-fluent-bit:2.32.0", "x/aws-for-fluent-bit:init-2.32.0", None),
        ("x/aws-for-fluent-bit:init-3.5.8", "x/aws-for-fluent-bit:init-3.5.8", None),
        ("x/aws-for-fluent-bit:3", "x/aws-for-fluent-bit:init-3", "5.1"),
        ("x/aws-for-fluent-bit:3.5.0", "x/aws-for-fluent-bit:init-3.5.8", None),
        ("x/aws-for-fluent-bit:3.2.1", "x/aws-for-fluent-bit:init-3.2.1", "unchecked"),
        (f"x/aws-for-fluent-bit@sha256:{'a' * 64}", f"x/aws-for-fluent-bit@sha256:{'a' * 64}", "unchecked"),
        ("own/fluent-bit:7", "own/fluent-bit:7", "unchecked"),
    ],
)
def test_the_image_becomes_the_init_image_of_the_same_release(image: str, written: str, engine: str | None) -> None:
    found = imported(task(app(options={"Name": "stdout"}), fields={"image": image}))
    assert class_of(found)["image"] == written
    assert class_of(found).get("engine") == engine
    assert not found.problems
    assert (image == written and engine is None) or "log_router: note:" in said(found)


def test_a_stated_engine_counts() -> None:
    found = imported(task(app(options={"Name": "stdout"}), fields={"image": "own:7"}), engine="5.0.9")
    assert class_of(found)["engine"] == "5.0.9"
    assert "unchecked" not in said(found)


def test_an_image_of_ones_own_on_ec2_gets_its_config_as_before() -> None:
    options = {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::b/extra.conf"}
    files = {"arn:aws:s3:::b/extra.conf": S3}
    assert class_of(imported(task(options=options, fields={"image": "own:7"}), files))["delivery"] == "firelens-s3"
    fargate = task(options=options, fields={"image": "own:7"}, requiresCompatibilities=["FARGATE"])
    assert "delivery" not in class_of(imported(fargate, files))


def test_only_containers_with_the_driver_are_routed_and_the_rest_stays_as_it_was() -> None:
    other = {
        "name": "other",
        "image": "x",
        "logConfiguration": {"logDriver": "awslogs"},
        "dependsOn": [
            {"containerName": "app", "condition": "START"},
            {"containerName": "log_router", "condition": "START"},
        ],
    }
    found = imported(task(app(options={"Name": "stdout"}), other))
    assert documents(found)[0]["spec"]["target"]["containers"] == ["app"]
    assert found.plain["containerDefinitions"] == [
        {"name": "app", "image": "httpd"},
        {**other, "dependsOn": [{"containerName": "app", "condition": "START"}]},
    ]
    assert "container other: not imported: its dependsOn on the router" in said(found)


def test_volumes_go_with_the_router_unless_the_task_uses_them() -> None:
    mounts = [{"sourceVolume": name, "containerPath": f"/{name}"} for name in ("own", "shared")]
    body = task(
        app(options={"Name": "stdout"}, mountPoints=mounts[1:]),
        fields={"mountPoints": mounts},
        volumes=[{"name": "own", "host": {}}, {"name": "shared"}, {"name": "unused"}],
    )
    found = imported(body)
    assert class_of(found)["volumes"] == [{"name": "own"}]
    assert found.plain["volumes"] == [{"name": "shared"}, {"name": "unused"}]


def test_patterns_become_filters_includes_before_excludes() -> None:
    one = app("one", {"Name": "stdout", "exclude-pattern": "debug"})
    two = app("two", {"Name": "stdout", "include-pattern": "^[A-Z]"})
    assert pipeline(imported(task(one, two)))["filters"] == [
        {"name": "grep", "match": "two-firelens*", "regex": "log ^[A-Z]"},
        {"name": "grep", "match": "one-firelens*", "exclude": "log debug"},
    ]


def test_sections_come_in_the_engine_s_order() -> None:
    files = {"/extra.conf": S3.replace("b\n", "custom\n", 1), "/two.conf": S3.replace("b\n", "two\n", 1)}
    files["/ten.conf"] = S3.replace("b\n", "ten\n", 1)
    init = [
        {"name": f"aws_fluent_bit_init_file_{number}", "value": f"/{name}.conf"}
        for number, name in (("10", "ten"), ("2", "two"))
    ]
    found = imported(task(app(options={"Name": "stdout"}), options=CUSTOM, fields={"environment": init}), files)
    assert [one.get("bucket", one["name"]) for one in pipeline(found)["outputs"]] == ["custom", "stdout", "two", "ten"]
    assert "environment" not in class_of(found)["container"]


def test_a_match_of_everything_is_left_out_and_others_stay() -> None:
    text = "".join(
        f"[OUTPUT]\n    Name stdout\n    {match}\n" for match in ("Match *", "Match **", "Match a*", "Match_Regex a|b")
    )
    found = from_config(text)
    assert pipeline(found)["outputs"] == [
        {"name": "stdout"}, {"name": "stdout"}, {"name": "stdout", "match": "a*"},
        {"name": "stdout", "match_regex": "^(?:a|b)"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (["Match app:*.x"], {"match_regex": r"^app:.*\.x$"}),
        (["Match a*", "Match_Regex b|c"], {"match_regex": "^(?:a.*$|b|c)"}),
        (["Match ${WHO}-firelens*"], {"match": "app-firelens*"}),
        (["Match a", "Match b"], {"match": "b"}),
    ],
)
def test_odd_matches_are_said_as_a_route_can(lines: list[str], match: dict[str, str]) -> None:
    fields = {"environment": [{"name": "WHO", "value": "app"}]}
    text = "[OUTPUT]\n    Name stdout\n" + "".join(f"    {line}\n" for line in lines)
    assert pipeline(from_config(text, fields=fields))["outputs"] == [{"name": "stdout", **match}]


REWRITE = "[FILTER]\n    Name rewrite_tag\n    Match app-firelens*\n    Rule $log ^AUDIT {tag} false\n"


@pytest.mark.parametrize("tag", ["audit.$log", "x.$TAG", "x.$TAG[0].y", "$log"])
def test_what_matched_everything_says_no_match_and_still_gets_records_with_made_up_tags(tag: str) -> None:
    found = from_config(REWRITE.format(tag=tag) + S3)
    assert pipeline(found)["outputs"] == [{"name": "s3", "bucket": "b", "region": "eu-west-1"}]
    assert lost(found) == []


MULTILINE = "[FILTER]\n    Name multiline\n    multiline.key_content log\n    multiline.parser go\n"
SECOND = "[FILTER]\n    Name rewrite_tag\n    Rule $log ^AUDIT.*disk alarms.$TAG false\n"


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        (MULTILINE, [{}]),
        (SECOND, [{}]),
        (REWRITE.format(tag="audit.x") + MULTILINE, [{"match": "app-firelens*"}, {"match_regex": "^."}]),
        (
            REWRITE.format(tag="audit.x") + SECOND,
            [{"match": "app-firelens*"}, {"match_regex": r"^(?!(?:alarms\..*)$)."}],
        ),
        (SECOND + MULTILINE, [{}, {"match_regex": "^."}]),
        (SECOND + SECOND.replace("alarms", "errors"), [{}, {}]),
    ],
)
def test_a_filter_that_emits_anew_takes_what_the_others_made_where_it_did(
    text: str, matches: list[dict[str, str]]
) -> None:
    found = from_config(text + S3)
    filters = pipeline(found)["filters"]
    assert [{key: one[key] for key in ("match", "match_regex") if key in one} for one in filters] == matches
    assert lost(found) == []


def test_what_matches_nothing_does_not_come_to_match_everything() -> None:
    files = {"/extra.conf": f"[FILTER]\n    Name stdout\n[OUTPUT]\n    Name stdout\n    Match ${{NONE}}\n{S3}"}
    found = imported(task(options=CUSTOM), files)
    assert pipeline(found) == {"outputs": [{"name": "s3", "bucket": "b", "region": "eu-west-1"}]}
    assert "/extra.conf:1: not imported: [FILTER] stdout: it has no Match" in said(found)
    assert "/extra.conf:3: not imported: [OUTPUT] stdout: a variable in its tag, match or alias" in said(found)


def test_a_lone_output_beside_a_lone_input_gets_everything() -> None:
    text = "[INPUT]\n    Name forward\n    unix_path /var/run/fluent.sock\n[OUTPUT]\n    Name stdout\n"
    found = imported(task(options=CUSTOM), {"/extra.conf": text})
    assert pipeline(found) == {"outputs": [{"name": "stdout"}]}


def test_a_parsers_file_of_ones_own_is_not_taken_for_the_image_s() -> None:
    files = {"/own/parsers.conf": "[PARSER]\n    Name own\n    Format json\n"}
    text = f"[SERVICE]\n    Parsers_File /fluent-bit/parsers/parsers.conf\n{S3}"
    init = [{"name": "aws_fluent_bit_init_file_1", "value": "/own/parsers.conf"}]

    def flat(ref: ConfigRef) -> tuple[SourceFile, ...]:
        """A folder without folders: everything by its base name."""
        name = ref.value.rpartition("/")[2]
        known = {"parsers.conf": files["/own/parsers.conf"], "extra.conf": text}
        return (SourceFile(name, known[name].encode()),)

    found = import_route(task(options=CUSTOM, fields={"environment": init}), flat, Wish())
    assert [one["name"] for one in pipeline(found)["parsers"]] == ["own"]
    assert class_of(found)["service"] == {"parsers_file": "/fluent-bit/parsers/parsers.conf"}


def test_a_variable_that_an_environment_file_may_declare_is_told_as_missing() -> None:
    fields = {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::b/x.env"}]}
    [told] = lost(from_config(S3.replace("b\n", "${STAGE}\n", 1), fields=fields))
    assert "/extra.conf:4: not imported: the variable STAGE: an environment file may declare it" in told


@pytest.mark.parametrize(("network", "first"), [("awsvpc", 3), ("bridge", 3), ("host", 1)])
def test_an_input_without_a_tag_keeps_the_one_that_the_engine_gives_it(network: str, first: int) -> None:
    text = f"[INPUT]\n    Name tcp\n    Port 5170\n[INPUT]\n    Name dummy\n{S3}"
    found = from_config(text, networkMode=network)
    assert [one["tag"] for one in pipeline(found)["inputs"]] == [f"tcp.{first}", f"dummy.{first + 1}"]


def test_aliases_of_filters_are_put_right_too() -> None:
    found = from_config(f"[FILTER]\n    Name stdout\n    Alias Main\n{S3}")
    assert pipeline(found)["filters"] == [{"name": "stdout", "alias": "main"}]


def test_aliases_are_lower_case_and_each_stands_once() -> None:
    found = from_config("".join(f"[OUTPUT]\n    Name stdout\n    Alias {alias}\n" for alias in ("Main", "main", "a b")))
    assert [one["alias"] for one in pipeline(found)["outputs"]] == ["main", "main.2", "a_b"]
    assert "/extra.conf:3: note: the alias Main" in said(found)


def test_set_is_put_in_place_wherever_it_stands() -> None:
    text = "[OUTPUT]\n    Name s3\n    bucket ${B}-x\n    region ${AWS_REGION}\n@SET B=logs\n"
    found = from_config(text)
    assert pipeline(found)["outputs"][0]["bucket"] == "logs-x"
    assert "/extra.conf:6: note: @SET B" in said(found)


def test_a_set_that_builds_a_variable_is_not_taken_for_one() -> None:
    found = from_config(f"@SET D=$\n[FILTER]\n    Name record_modifier\n    Record a ${{D}}{{HOME}}\n{S3}")
    assert "filters" not in pipeline(found)
    assert "/extra.conf:2: not imported: [FILTER] record_modifier" in said(found)
    assert "${D}{HOME}" in found.yaml


def test_a_variable_after_a_brace_stays_literal_as_in_the_engine() -> None:
    found = from_config(f"@SET A=b\n[FILTER]\n    Name record_modifier\n    Record a {{}} ${{A}}\n{S3}")
    assert "/extra.conf:4: not imported: record" in said(found)


def test_the_last_of_several_service_entries_counts_and_is_said() -> None:
    found = from_config(f"[SERVICE]\n    Flush 1\n    Grace 5\n[SERVICE]\n    FLUSH 3\n{S3}")
    assert class_of(found)["service"] == {"flush": "3", "grace": "5"}
    assert "/extra.conf:2: note: flush 1: 3 at /extra.conf:5 comes later" in said(found)


def test_parsers_files_become_parsers_and_those_of_the_image_stay() -> None:
    parsers = (
        "[PARSER]\n    Name p\n    Format json\n[MULTILINE_PARSER]\n    name m\n    type regex\n"
        '    rule "start_state"   "/^\\d \\"x/" "cont"\n    rule "cont" "/^ /" "cont"\n'
    )
    text = f"[SERVICE]\n    Parsers_File /p.conf\n    Parsers_File /fluent-bit/parsers/parsers.conf\n{S3}"
    found = imported(task(options=CUSTOM), {"/extra.conf": text, "/p.conf": parsers.replace('\\"', "")})
    assert pipeline(found)["parsers"] == [{"name": "p", "format": "json"}]
    assert pipeline(found)["multiline_parsers"][0]["rules"] == [
        {"state": "start_state", "regex": "/^\\d x/", "next_state": "cont"},
        {"state": "cont", "regex": "/^ /", "next_state": "cont"},
    ]
    assert class_of(found)["service"] == {"parsers_file": "/fluent-bit/parsers/parsers.conf"}
    assert lost(found) == []


def test_what_firelens_makes_itself_is_left_out_and_its_buffer_kept() -> None:
    text = (
        "[SERVICE]\n    # big\n    storage.path /data\n    storage.max_chunks_up 9\n"
        "[INPUT]\n    Name forward\n    unix_path /var/run/fluent.sock\n    storage.type filesystem\n    Mem_Buf_Limit 5M\n"
        f"[INPUT]\n    Name tcp\n    Port 8877\n[OUTPUT]\n    Name null\n    Match firelens-healthcheck\n{S3}"
    )
    found = from_config(text)
    assert class_of(found)["buffer"] == {"type": "filesystem", "path": "/data", "maxChunksUp": "9"}
    assert "service" not in class_of(found)
    assert [*pipeline(found)] == ["outputs"]
    assert "    # big\n    path: /data\n" in found.yaml
    assert "/extra.conf:5: note: [INPUT] forward: FireLens makes this input itself; with it go mem_buf_limit" in said(
        found
    )
    old = from_config(text, fields={"image": "amazon/aws-for-fluent-bit:init-2.32.4"})
    assert "buffer" not in class_of(old)
    assert "/extra.conf:5: not imported: [INPUT] forward" in said(old)


CHECK = {"command": ["CMD-SHELL", "curl -f http://127.0.0.1:2020/api/v1/uptime || exit 1"]}
TIMES = {"interval": 10, "timeout": 5, "retries": 2, "startPeriod": 30}
SERVER = "[SERVICE]\n    HTTP_Server On\n    HTTP_Listen {listen}\n    HTTP_Port 2020\n"


@pytest.mark.parametrize(
    ("check", "listen", "health"),
    [
        ({**CHECK, **TIMES}, "127.0.0.1", {"mode": "uptime", "port": "2020"}),
        ({**CHECK, **TIMES}, "0.0.0.0", {"mode": "uptime", "port": "2020"}),  # noqa: S104 - a config to read
        ({**CHECK, **TIMES, "retries": 3}, "127.0.0.1", {"mode": "off"}),
        (None, "127.0.0.1", {"mode": "off"}),
    ],
)
def test_only_the_class_s_own_health_check_becomes_one(check: Any, listen: str, health: dict[str, str]) -> None:
    fields = {"healthCheck": check} if check else {}
    found = from_config(SERVER.format(listen=listen) + S3, fields=fields)
    assert class_of(found)["health"] == health
    assert ("healthCheck" in class_of(found)["container"]) is (check is not None and health["mode"] == "off")
    assert lost(found) == []


@pytest.mark.parametrize(
    ("fields", "body"),
    [({"portMappings": [{"containerPort": 2020}]}, {}), ({}, {"networkMode": "host"})],
)
def test_a_server_that_others_may_ask_stays_as_it_is_written(fields: dict[str, Any], body: dict[str, Any]) -> None:
    everybody = SERVER.format(listen="0.0.0.0")  # noqa: S104 - a config to read
    found = from_config(everybody + S3, fields={"healthCheck": {**CHECK, **TIMES}, **fields}, **body)
    assert class_of(found)["health"] == {"mode": "off"}
    assert class_of(found)["service"]["http_listen"] == "0.0.0.0"  # noqa: S104 - as it was read
    assert class_of(found)["container"]["healthCheck"]["command"] == CHECK["command"]
    assert lost(found) == []


def test_a_server_that_listens_to_fewer_after_the_import_is_said() -> None:
    everybody = SERVER.format(listen="0.0.0.0")  # noqa: S104 - a config to read
    found = from_config(everybody + S3, fields={"healthCheck": {**CHECK, **TIMES}})
    assert "/extra.conf:3: note: http_listen: the check's server listens on 127.0.0.1 instead of 0.0.0.0" in said(found)


def test_modify_keeps_the_order_of_its_lines() -> None:
    rules = ["Add a 1", "Rename a b", "Add a 2"]
    text = "[FILTER]\n    Name modify\n" + "".join(f"    {rule}\n" for rule in rules) + S3
    assert pipeline(from_config(text))["filters"] == [
        {"name": "modify", "add": "a 1", "rename": "a b"},
        {"name": "modify", "add": "a 2"},
    ]
    [told] = lost(from_config(text.replace(S3, f"    Condition Key_exists a\n{S3}")))
    assert "/extra.conf:1: not imported: the order of modify's rules" in told


def test_a_repeated_option_is_a_list_in_its_order_and_of_a_single_one_the_last_counts() -> None:
    text = f"[FILTER]\n    Name grep\n    Match x\n    regex a b\n    Regex c d\n    Match y\n{S3}"
    found = from_config(text)
    assert pipeline(found)["filters"] == [{"name": "grep", "match": "y", "regex": ["a b", "c d"]}]
    assert "/extra.conf:3: note: Match: it stands there again at /extra.conf:6" in said(found)
    assert "/extra.conf:5: note: regex and Regex: names ignore case" in said(found)


@pytest.mark.parametrize(
    ("section", "place", "kept"),
    [
        ("[INPUT]\n    Name exec\n    Command date\n", "1: not imported: exec", ["name exec", "command date"]),
        ("[PLUGINS]\n    Path /x.so\n", "1: not imported: [PLUGINS]", ["[PLUGINS]", "Path /x.so"]),
        ("[STREAM_TASK]\n    Name t\n    Exec X\n", "1: not imported: [STREAM_TASK] t", ["[STREAM_TASK]", "Exec X"]),
        ("[INPUT]\n    Name dummy\n    [P] x\n        K y\n", "1: not imported: [INPUT] dummy", ["Name dummy", "K y"]),
        ("[FILTER]\n    Name nosuch\n    Key v\n", "1: not imported: nosuch", ["name nosuch", "key v"]),
        ("[OUTPUT]\n    Name stdout\n    Nosuch_Key v\n", "3: not imported: nosuch_key", ["nosuch_key v"]),
        ("[FILTER]\n    Name grep\n    Regex log ${A\n", "3: not imported: regex", ["regex log ${A"]),
        ("@WHAT ever\n", "1: not imported: @WHAT", ["@WHAT ever"]),
    ],
)
def test_what_no_route_can_say_is_told_by_place_and_stays_as_a_comment(
    section: str, place: str, kept: list[str]
) -> None:
    found = from_config(section + S3)
    assert f"/extra.conf:{place}" in said(found)
    assert specs(found).routes
    comments = [line.strip("# ") for line in found.yaml.splitlines() if line.strip().startswith("#")]
    assert [line for line in kept if line not in comments] == []


def test_a_list_of_which_nothing_is_left_goes_and_its_comments_stay() -> None:
    found = from_config(f"# why\n[INPUT]\n    Name exec\n    Command date\n{S3}")
    assert [*pipeline(found)] == ["outputs"]
    above = found.yaml.partition("    outputs:\n")[0].splitlines()[-6:]
    assert [line.strip("# ") for line in above][:2] == [
        "why",
        "not imported: exec is not allowed: it runs programs in the router, with the rights of the task",
    ]


def test_white_space_around_a_log_option_is_cut_off_as_the_engine_does() -> None:
    found = imported(task(app(options={"Name": " stdout ", "format": " json "})))
    assert pipeline(found)["outputs"] == [{"name": "stdout", "match": "app-firelens*", "format": "json"}]


def test_a_command_of_the_router_is_told_and_stays_as_a_comment() -> None:
    fields = {"command": ["/run.sh"], "dependsOn": [{"containerName": "app", "condition": "START"}]}
    found = imported(task(app(options={"Name": "stdout"}), fields=fields))
    assert "container log_router: not imported: command" in said(found)
    assert '#   command: ["/run.sh"]' in found.yaml
    assert "container log_router: not imported: dependsOn" in said(found)


def test_a_field_that_the_class_does_not_have_is_told_and_stays_as_a_comment() -> None:
    found = imported(task(app(options={"Name": "stdout"}), fields={"newField": {"a": ["b"]}}))
    assert "container log_router: not imported: newField" in said(found)
    assert "#     a b" in found.yaml
    assert specs(found).routes


def test_without_an_output_the_logs_go_nowhere_and_it_is_said() -> None:
    found = imported(task())
    assert pipeline(found)["outputs"] == [{"name": "null"}]
    assert "no output takes the logs" in said(found)
    assert specs(found).routes


def test_what_all_routed_containers_share_is_settled_and_said() -> None:
    waits = [{"containerName": "log_router", "condition": condition} for condition in ("HEALTHY", "START")]
    one = app("one", {"Name": "stdout", "log-driver-buffer-limit": "100"}, dependsOn=waits[:1])
    two = app("two", {"Name": "stdout", "log-driver-buffer-limit": "200"}, dependsOn=waits[1:])
    found = imported(task(one, two, options={"enable-ecs-log-metadata": "no"}))
    spec = class_of(found)
    assert (spec["waitForRouter"], spec["driverBufferLimit"], spec["ecsMetadata"]) == ("HEALTHY", "200", "false")
    for what in ("dependsOn on the router", "log-driver-buffer-limit", "enable-ecs-log-metadata"):
        assert what in said(found)


def test_an_output_that_cannot_start_is_completed_and_said() -> None:
    found = from_config("[OUTPUT]\n    Name cloudwatch_logs\n    region x\n    log_group_name g\n")
    assert pipeline(found)["outputs"][0]["log_stream_prefix"] == "firelens/"
    assert "/extra.conf:1: note: cloudwatch_logs" in said(found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"family": "x", "containerDefinitions": [{"name": "app"}]}, "there is no FireLens in it"),
        ({"family": "x", "containerDefinitions": [{"name": 1}]}, "the name of a container is not as ECS has it"),
        ({"family": "x", "containerDefinitions": [app(environment=["x"])]}, "environment of container app"),
        (task({"name": "app", "image": "x"}), "nothing is routed"),
        (task(options={"config-file-type": "ftp", "config-file-value": "x"}), "config-file-type must be s3 or file"),
        (task(app(options={"region": "x"})), "have no Name"),
        (task(options=CUSTOM), "names /extra.conf, which is not here: copy it out of the image"),
        (task(fields={"dockerLabels": {"logroute.dev/owner": "logroute"}}), "LogRoute's own already"),
    ],
)
def test_what_cannot_be_imported_is_told(body: dict[str, Any], message: str) -> None:
    with pytest.raises(Unimportable, match=message):
        imported(body)


@pytest.mark.parametrize(
    ("text", "label"), [("My_App.v2", "my-app-v2"), ("--", "route"), ("x" * 80, "x" * 63), (f"{'x' * 62}-y", "x" * 62)]
)
def test_names_become_dns_labels(text: str, label: str) -> None:
    assert dns_label(text) == label
