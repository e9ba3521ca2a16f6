"""All config of a hand-made router, in the engine's order: the agent's filters, the custom config, the outputs of
log options, then what the init image includes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import compress

from controller.fluentbit.classic import (
    ClassicError,
    Entry,
    Place,
    SectionKind,
    SourceFile,
    SourceSection,
)
from controller.fluentbit.reader import read_classic
from controller.importing import built_in
from controller.importing.definition import EXTERNAL, ConfigRef, FireLens
from controller.importing.remarks import Remark, Unimportable, in_definition
from controller.taskdef.body import Body
from controller.taskdef.original import BUFFER_LIMIT

GENERATED = "/fluent-bit/etc/fluent-bit.conf"
"""What the agent writes; images with an entrypoint of their own include it."""
OF_IMAGE = ("/fluent-bit/parsers/",)
"""Parsers files in AWS's image: they are there after the import too."""
_AGENT_OPTIONS = frozenset({"include-pattern", "exclude-pattern", BUFFER_LIMIT})
PARSER_KINDS = frozenset({SectionKind.PARSER, SectionKind.MULTILINE_PARSER})


Find = Callable[[ConfigRef], tuple[SourceFile, ...]]
"""The files that are meant; empty where there are none. May raise an explained error of its own."""


@dataclass(slots=True)
class Gathered:
    sections: list[SourceSection] = field(default_factory=list)
    """Of the pipeline, the parsers among them."""
    commands: list[Entry] = field(default_factory=list)
    trailing: list[str] = field(default_factory=list)
    image_parsers: list[str] = field(default_factory=list)
    """Parsers files that stay in the image."""
    remarks: list[Remark] = field(default_factory=list)
    secret_options: dict[str, str] = field(default_factory=dict)
    """Environment name → `valueFrom` of a secretOption."""
    agent: bool = True
    """The engine has the agent's inputs; not so where an entrypoint of the image's own starts from its config."""
    unsaid: list[tuple[SourceSection, str]] = field(default_factory=list)
    """What a parsers file holds beside parsers, and why it does not count."""


def gather(firelens: FireLens, find: Find, alone: SourceFile | None, *, by_agent: bool = False) -> Gathered:
    """`alone`: the custom config that the caller was given by itself. `by_agent`: the image stays what it is and
    gets one file alone, so its parsers files stay in it. Raises Unimportable, ClassicError.
    """
    found = Gathered()
    found.sections += _patterns(firelens)
    refs = [*([firelens.custom] if firelens.custom else []), *firelens.init]
    claimed = frozenset(_base(ref.value) for ref in refs if not ref.value.startswith(OF_IMAGE))
    reader = _Reader(find, found, claimed, by_agent)
    if firelens.custom:
        reader.ref(firelens.custom, alone)
    elif alone:
        found.agent = False
        reader.take(alone)
    found.sections += _outputs(firelens, found)
    for ref in firelens.init:
        reader.ref(ref, None)
    return found


def _patterns(firelens: FireLens) -> Iterable[SourceSection]:
    """The agent writes all includes before all excludes."""
    for option, key in (("include-pattern", "Regex"), ("exclude-pattern", "Exclude")):
        for container in firelens.routed:
            if pattern := _options(container).get(option):
                place = Place(f"{in_definition(container['name'])}, log option {option}")
                entries = [("Name", "grep"), ("Match", match_of(container)), (key, f"log {pattern}")]
                yield SourceSection("FILTER", place, tuple(Entry(*pair, place) for pair in entries))


def match_of(container: Body) -> str:
    return f"{container['name']}-firelens*"


def _options(container: Body) -> dict[str, str]:
    """As they come out of the agent's config: the reader cuts white space off."""
    options = (container.get("logConfiguration") or {}).get("options") or {}
    return {str(key): str(value).strip() for key, value in options.items()}


def _outputs(firelens: FireLens, found: Gathered) -> Iterable[SourceSection]:
    for container in firelens.routed:
        place = in_definition(container["name"])
        options = {key: value for key, value in _options(container).items() if key not in _AGENT_OPTIONS}
        secrets = (container.get("logConfiguration") or {}).get("secretOptions") or ()
        if not options and not secrets:
            continue
        name = next((value for key, value in options.items() if key.lower() == "name"), None)
        if name is None:
            raise Unimportable(f"{place}: its log options have no Name: ECS starts no task with it")
        rest = [(key, value) for key, value in options.items() if key.lower() != "name"]
        pairs = [("Name", name), ("Match", match_of(container)), *rest]
        pairs += [(str(one["name"]), f"${{{_secret(one, found)}}}") for one in secrets]
        entries = (Entry(key, value, Place(f"{place}, log option {key}")) for key, value in pairs)
        yield SourceSection("OUTPUT", place, tuple(entries))


def _secret(option: Body, found: Gathered) -> str:
    """An environment name for a secretOption; one name for one secret."""
    name, value = env_name(str(option["name"])), str(option.get("valueFrom", ""))
    number, chosen = 1, name
    while found.secret_options.setdefault(chosen, value) != value:
        number += 1
        chosen = f"{name}_{number}"
    return chosen


def env_name(option: str) -> str:
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in option).upper()
    return name if not name[:1].isdigit() else f"_{name}"


@dataclass(slots=True)
class _Reader:
    find: Find
    found: Gathered
    claimed: frozenset[str]
    """Base names of the files that the definition names: none of them is the image's by its base name."""
    by_agent: bool
    seen: set[str] = field(default_factory=set)

    def ref(self, ref: ConfigRef, given: SourceFile | None) -> None:
        files = (given,) if given else self._files(ref)
        if not files and ref.kind == "file" and ref.value.startswith(OF_IMAGE):
            self.found.image_parsers.append(ref.value)
            return
        known = () if files else built_in.sections_of(ref.value) if ref.kind == "file" else ()
        if known:
            why = f"what AWS's image has there is known; give your file as {_base(ref.value)} where yours is another"
            self.found.remarks.append(Remark(in_definition(), ref.value, why))
            self.found.sections += [self._with_parsers(section) for section in known]
        elif not files:
            raise Unimportable(_missing(ref))
        for file in files:
            self.take(file)

    def _files(self, ref: ConfigRef) -> tuple[SourceFile, ...]:
        files = self.find(ref)
        if ref.kind == "file" and ref.value.startswith(OF_IMAGE) and _base(ref.value) in self.claimed:
            return tuple(one for one in files if one.name.endswith(ref.value))
        return files

    def take(self, file: SourceFile) -> None:
        """One file as the engine reads it, its includes and parsers files with it."""
        source = read_classic(file, self._include, self.seen)
        self.found.commands += source.commands
        self.found.trailing += source.trailing
        self.found.sections += [self._with_parsers(section) for section in source.sections]

    def _include(self, path: str, place: Place) -> tuple[SourceFile, ...]:
        if path in (GENERATED, EXTERNAL):
            self.found.agent = True
            why = "FireLens generates it for every task"
            self.found.remarks.append(Remark(place, f"@INCLUDE {path}", why))
            return ()
        files = self.find(ConfigRef("file", path, f"@INCLUDE at {place}"))
        if not files:
            raise ClassicError(place.line, _missing(ConfigRef("file", path, "@INCLUDE")), place.file)
        return files

    def _with_parsers(self, section: SourceSection) -> SourceSection:
        """A [SERVICE] without the parsers files that are here: what they hold becomes part of the route."""
        if section.kind is not SectionKind.SERVICE:
            return section
        stays = [entry.key.lower() != "parsers_file" or not self._parsers(entry) for entry in section.entries]
        kept = list(compress(section.entries, stays))
        dropped = tuple(
            text for entry, stay in zip(section.entries, stays, strict=True) if not stay for text in entry.comments
        )
        if not kept:
            self.found.trailing += [*section.comments, *dropped]
        return replace(section, entries=tuple(kept), comments=(*section.comments, *dropped))

    def _parsers(self, entry: Entry) -> bool:
        """Whether the parsers of the file were taken in, so that its entry can go."""
        if self.by_agent:
            return False
        wanted = ConfigRef("file", entry.value, f"Parsers_File at {entry.place}")
        files = self._files(wanted)
        if not files and entry.value.startswith(OF_IMAGE):
            return False
        if not files:
            raise ClassicError(entry.place.line, _missing(wanted), entry.place.file)
        for file in files:
            if file.name not in self.seen:
                self._parsers_of(file)
        return True

    def _parsers_of(self, file: SourceFile) -> None:
        source = read_classic(file, self._include, self.seen)
        self.found.trailing += source.trailing
        for section in source.sections:
            if section.kind in PARSER_KINDS:
                self.found.sections.append(section)
            else:
                why = "a parsers file holds parsers alone, and Fluent Bit does not look at the rest"
                self.found.unsaid.append((section, why))


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _missing(wanted: ConfigRef) -> str:
    """What is missing, and how to give it."""
    base = _base(wanted.value) or wanted.value
    if wanted.kind == "s3":
        return f"{wanted.named_by} names {wanted.value}, which is not here: put {base} into a folder for --config-dir"
    copy = f"docker run --rm --entrypoint cat IMAGE {wanted.value}"
    how = f"copy it out of the image into a folder as {base} ({copy}) and give --config-dir"
    return f"{wanted.named_by} names {wanted.value}, which is not here: {how}"
