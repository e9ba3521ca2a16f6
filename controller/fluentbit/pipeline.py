"""A whole pipeline against the catalogue: its sections one by one, its parsers, and what must be unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controller.api.kinds import Pipeline, Section
from controller.fluentbit.checks import check
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.regexes import check_regex
from controller.fluentbit.safety import MAX_LINE, value_trouble
from controller.fluentbit.tags import PARSER_NAME
from controller.fluentbit.variables import Names
from controller.fluentbit.words import listed, shown

_RULE_KEYS = ("state", "regex", "next_state")
_RULE_HINT = r"write it like {state: start_state, regex: '/^\d/', next_state: cont}"


def check_pipeline(pipeline: Pipeline, engine: str, names: Names) -> list[Finding]:
    """All but its outputs, which may `ref` to a LogOutput. Paths start at the pipeline."""
    findings: list[Finding] = []
    if pipeline.service:
        findings += check_service(pipeline.service, engine, names)
    for index, section in enumerate(pipeline.inputs):
        findings += [one.below("inputs", index) for one in check("inputs", section, engine, names)]
    for index, section in enumerate(pipeline.filters):
        findings += [one.below("filters", index) for one in check("filters", section, engine, names)]
    if pipeline.parsers or pipeline.multiline_parsers:
        findings += _parsers(pipeline, engine, names)
    return findings


def check_service(service: Section, engine: str, names: Names) -> list[Finding]:
    """Paths start above the service."""
    return [one.below("service") for one in check("service", service, engine, names)]


def _parsers(pipeline: Pipeline, engine: str, names: Names) -> Iterable[Finding]:
    seen: dict[str, str] = {}
    for index, parser in enumerate(pipeline.parsers):
        for one in _parser(parser, seen, engine, names):
            yield one.below("parsers", index)
    for index, parser in enumerate(pipeline.multiline_parsers):
        for one in _multiline(parser, seen, engine, names):
            yield one.below("multiline_parsers", index)


def _parser(parser: Section, seen: dict[str, str], engine: str, names: Names) -> list[Finding]:
    lowered = {key.lower(): value for key, value in parser.items()}
    findings = _name(lowered.get("name"), seen, "parser") + check("parsers", parser, engine, names)
    if str(lowered.get("format", "")).lower() == "regex" and "regex" not in lowered:
        findings.append(error((), "MISSING_OPTION", "a parser of format regex needs regex", "add regex"))
    return findings


def _name(name: Any, seen: dict[str, str], what: str) -> list[Finding]:
    """Parsers and multiline parsers each have names of their own."""
    if name is None:
        return [error((), "MISSING_KEY", "the key name is missing: parsers are used by name", "add name")]
    if not isinstance(name, str) or not PARSER_NAME.fullmatch(name):
        hint = "letters, digits, _ . and -"
        return [error(("name",), "INVALID_NAME", f"{shown(name)} is no name for a {what}", hint)]
    if f"{what} {name}" in seen:
        return [error(("name",), "DUPLICATE_PARSER", f"there is a {what} {name} already", "rename one of the two")]
    seen[f"{what} {name}"] = name
    return []


def _multiline(parser: Section, seen: dict[str, str], engine: str, names: Names) -> list[Finding]:
    lowered = {key.lower(): value for key, value in parser.items()}
    plain = {key: value for key, value in parser.items() if key.lower() != "rules"}
    findings = _name(lowered.get("name"), seen, "multiline parser")
    findings += check("multiline_parsers", plain, engine, names)
    rules = lowered.get("rules")
    if str(lowered.get("type", "")).lower() == "regex" and not rules:
        return [*findings, error((), "MISSING_OPTION", "a multiline parser of type regex needs rules", "add rules")]
    return findings + _rules(rules, engine) if rules is not None else findings


def _rules(rules: Any, engine: str) -> list[Finding]:
    if not isinstance(rules, list | tuple):
        return [error(("rules",), "WRONG_TYPE", "rules must be a list", "start each rule with a dash")]
    findings = [one.below("rules", index) for index, rule in enumerate(rules) for one in _rule(rule, engine)]
    first = rules[0].get("state") if rules and isinstance(rules[0], Mapping) else None
    if isinstance(first, str) and "start_state" not in _states(first):
        message = "the state of the first rule must be start_state"
        findings.append(error(("rules", 0, "state"), "INVALID_VALUE", message, "write start_state"))
    return findings or list(_unknown_states(rules))


def _states(text: str) -> list[str]:
    """Of a rule's state, which may be several (flb_ml_rule.c)."""
    return [state.strip(" ") for state in text.split(",") if state.strip(" ")]


def _unknown_states(rules: Sequence[Mapping[str, str]]) -> Iterable[Finding]:
    known = {state for rule in rules for state in _states(rule["state"])}
    for index, rule in enumerate(rules):
        if rule["next_state"] not in known:
            message = f"no rule has the state {shown(rule['next_state'])}, at which Fluent Bit stops"
            hint = f"known: {listed(map(shown, sorted(known)))}"
            yield error(("rules", index, "next_state"), "UNKNOWN_STATE", message, hint)


def _rule(rule: Any, engine: str) -> Iterable[Finding]:
    if not isinstance(rule, Mapping):
        yield error((), "WRONG_TYPE", f"a rule must be a mapping with {', '.join(_RULE_KEYS)}", _RULE_HINT)
        return
    for key in rule:
        if key not in _RULE_KEYS:
            message = f"a rule has no {shown(key)}"
            yield error((key,), "UNKNOWN_OPTION", message, f"it has {', '.join(_RULE_KEYS)}", key=True)
    for key in _RULE_KEYS:
        if key not in rule:
            yield error((), "MISSING_OPTION", f"the rule needs {key}", f"add {key}")
        elif reason := _field_trouble(rule[key]):
            yield error((key,), "UNSAFE_VALUE", f"{key} cannot be written: {reason}", "write it otherwise")
        elif key == "regex":
            yield from (one.below(key) for one in check_regex(key, rule[key], engine))
        elif key == "state" and not _states(rule[key]):
            yield error((key,), "INVALID_VALUE", "the rule's state has no name", "name it")
    fields = sum(len(text.encode(errors="replace")) for key in _RULE_KEYS if isinstance(text := rule.get(key), str))
    if engine == "1.9.10" and fields > MAX_LINE:
        message = f"the rule makes a line over {MAX_LINE:,} bytes, at which Fluent Bit 1.9.10 stops"
        yield error((), "LINE_TOO_LONG", message, "shorten its regex, or use a newer image")


def _field_trouble(text: Any) -> str | None:
    """The three fields of a rule are written in double quotes, which nothing in them may end."""
    if not isinstance(text, str):
        return "it must be text"
    if '"' in text:
        return "it holds a double quote, which ends the field (in a regex write \\x22)"
    if text.endswith("\\"):
        return "it ends in a backslash"
    if "${" in text:
        return "it holds ${, which Fluent Bit would replace"
    return value_trouble(text)
