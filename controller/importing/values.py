"""Variables and secrets in values: `@SET` is put in place, secrets leave for `spec.secrets`, and every name that
is left is declared somewhere. No value of a secret is in anything that comes out of here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from controller.api.secrecy import names_secret
from controller.api.values import ARN, ENV_NAME
from controller.fluentbit.catalogue import SECRET_HOLDERS, secret_options
from controller.fluentbit.classic import Entry, Place
from controller.fluentbit.secrecy import check_secret
from controller.fluentbit.variables import check_variables
from controller.importing.gather import env_name
from controller.importing.remarks import Remark

_ARN, _ENV_NAME = re.compile(ARN), re.compile(ENV_NAME)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_SHORT = 4
"""Values below this are not looked for in comments: they would blot out ordinary words."""
_TELLING = 8
"""Values below this stand elsewhere by chance."""
_INIT_ONLY = re.compile(r"AWS_REGION|AWS_AVAILABILITY_ZONE|ECS_(?!CONTAINER_METADATA_URI|AGENT_URI)[A-Z0-9_]+")
"""What AWS's init process exports and ECS itself does not; the region it does on Fargate."""
HIDDEN = "…"
_SCHEMES = frozenset({"bearer", "basic", "splunk", "apikey", "token"})


@dataclass(slots=True)
class Names:
    """What the router's environment means by each name. Filled in while values are read."""

    region: str
    account: str
    sets: Mapping[str, str] = field(default_factory=dict)
    """`@SET`: over the environment, as flb_env_get has it."""
    environment: dict[str, str] = field(default_factory=dict)
    router_secrets: dict[str, str] = field(default_factory=dict)
    """`secrets` of the router container: name → valueFrom."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Becomes `spec.secrets`."""
    init: bool = True
    """AWS's init process exported what it knows of the task."""
    by_agent: bool = False
    """Nor will it after the import."""
    files: bool = False
    """There are environment files, which nobody can look into here."""
    remarks: list[Remark] = field(default_factory=list)
    clear: set[str] = field(default_factory=set, repr=False)
    """Secrets that stood in clear, to be kept out of comments."""
    hidden: dict[str, str] = field(default_factory=dict, repr=False)
    """Of those, the names that stand for them now."""

    def declare(self, name: str, value_from: str, place: Place) -> None:
        """`name` is a secret; a `valueFrom` that is no ARN cannot stand in a spec."""
        if name in self.secrets:
            return
        arn = self._arn(value_from)
        if arn is None:
            why = "spec.secrets takes ARNs, and this is none"
            self.remarks.append(Remark(place, f"the valueFrom of secret {name}", why, "put the secret's ARN there"))
        self.secrets[name] = arn or self._placeholder(name)

    def _arn(self, value_from: str) -> str | None:
        """ECS takes the name of a parameter, too, where it is of the task's own region."""
        if _ARN.match(value_from) and "$" not in value_from:
            return value_from
        if re.fullmatch(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", value_from) and self.region and self.account:
            return f"arn:aws:ssm:{self.region}:{self.account}:parameter/{value_from.lstrip('/')}"
        return None

    def _placeholder(self, name: str) -> str:
        where = f"{self.region or 'us-east-1'}:{self.account or '000000000000'}"
        return f"arn:aws:secretsmanager:{where}:secret:FILL-IN-{name}"

    def hide(self, key: str, name: str, value: str, place: Place) -> str:
        """A secret in clear becomes one to be stored; the name that stands for it."""
        self.clear |= pieces(value)
        chosen, number = name, 1
        while chosen in self.environment or (chosen in self.secrets and self.hidden.get(chosen) != value):
            number += 1
            chosen = f"{name}_{number}"
        if chosen not in self.secrets:
            self.hidden[chosen] = value
            self.secrets[chosen] = self._placeholder(chosen)
        self._said(key, chosen, place)
        return chosen

    def _said(self, what: str, name: str, place: Place) -> None:
        advice = f"store it, put its ARN under spec.secrets.{name}, and renew it: many have read it"
        self.remarks.append(Remark(place, what, "a secret stands there in clear", advice))

    def promote(self, name: str, place: Place) -> None:
        """A variable of the router that holds a secret becomes a secret of the route."""
        if name in self.secrets:
            return
        if name in self.router_secrets:
            self.declare(name, self.router_secrets[name], place)
            return
        value = self.environment.pop(name, "")
        self.secrets[name] = self._placeholder(name)
        if value:
            self.clear |= pieces(value)
            self._said(f"the variable {name}", name, place)
        else:
            why = "nobody declares it, and it stands for a secret"
            advice = f"put the secret's ARN under spec.secrets.{name}"
            self.remarks.append(Remark(place, f"the variable {name}", why, advice))


def pieces(value: str) -> set[str]:
    """A secret, and what of it would tell it: `Bearer x`, or `x${Y}`, have the x in them."""
    words = re.split(r"\s+|\$\{[^}]*\}", value)
    return {value, *(word for word in words if len(word) >= _SHORT and word.lower() not in _SCHEMES)}


def read_environment(names: Names, place: Place) -> None:
    """Variables that are called like a secret leave the environment before anything is written."""
    for name, value in list(names.environment.items()):
        if value and names_secret(name) and _ENV_NAME.match(name):
            names.promote(name, place)


def resolved(entry: Entry, names: Names) -> str:
    """The value of a route's option as the route can say it."""
    key, value = entry.key.lower(), with_sets(entry.value, names.sets)
    value = _without_clear(key, value, entry, names)
    for name in dict.fromkeys(name for _, _, name in expansions(value)):
        _know(name, entry.place, names)
    return value


def without_repeats(value: str, names: Names) -> str:
    """A value with the secrets put out that stood in clear elsewhere: one may be a part of a URI, too."""
    for name, secret in names.hidden.items():
        if len(secret) >= _TELLING:
            value = value.replace(secret, f"${{{name}}}")
    return value


def _know(name: str, place: Place, names: Names) -> None:
    if name in names.secrets or name in names.environment or not _ENV_NAME.match(name):
        return
    exported = not names.init and _INIT_ONLY.fullmatch(name) is not None
    if exported and not names.by_agent and name != "AWS_REGION":
        why = "it was empty so far, unless something else set it; AWS's init process sets it"
        names.remarks.append(Remark(place, f"the variable {name}", why))
    if name in names.router_secrets:
        names.declare(name, names.router_secrets[name], place)
    elif check_variables("", f"${{{name}}}") or (exported and names.by_agent):
        names.environment[name] = ""
        why = "nobody declares it, so Fluent Bit makes it empty"
        if names.files:
            why = "an environment file may declare it, and an entry in container.environment goes before that"
        advice = f"give {name} its value in container.environment"
        names.remarks.append(Remark(place, f"the variable {name}", why, advice, lost=names.files))


def expansions(value: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and name of what Fluent Bit expands (flb_env_var_translate): a `}` before the `${` ends it all."""
    position = 0
    while (start := value.find("${", position)) >= 0:
        end = value.find("}", position)
        if end < start + 3:
            return
        yield start, end + 1, value[start + 2 : end]
        position = end + 1


def with_sets(value: str, sets: Mapping[str, str]) -> str:
    """`@SET` variables put in place. What they hold is not looked through again."""
    parts, position = [], 0
    for start, end, name in expansions(value):
        if name in sets:
            parts += [value[position:start], sets[name]]
            position = end
    return "".join([*parts, value[position:]])


def builds_variable(value: str, sets: Mapping[str, str]) -> bool:
    """Whether putting `@SET` in place makes a `${` that Fluent Bit would leave alone, and we would not."""
    used = [name for _, _, name in expansions(value) if name in sets]
    kept = len([1 for _, _, name in expansions(value) if name not in sets])
    return bool(used) and len(list(expansions(with_sets(value, sets)))) != kept


def _without_clear(key: str, value: str, entry: Entry, names: Names) -> str:
    """A secret in clear becomes `${NAME}`."""
    if not value or not check_secret(key, value, names.secrets):
        return value
    held = value.split(maxsplit=1)[1] if key in SECRET_HOLDERS and " " in value else value
    for _, _, name in expansions(held if key in {*SECRET_HOLDERS, *secret_options()} else ""):
        if _ENV_NAME.match(name) and not check_secret(key, value, {*names.secrets, name}):
            names.promote(name, entry.place)
            return value
    if key in secret_options():
        return f"${{{names.hide(key, env_name(key), value, entry.place)}}}"
    if key in SECRET_HOLDERS and check_secret(key, value, names.secrets) and held != value:
        header = value.split(maxsplit=1)[0]
        return f"{header} ${{{names.hide(f'the header {header}', env_name(header.rstrip(':')), held, entry.place)}}}"
    return _URL_PASSWORD.sub(lambda found: _url(found, key, entry, names), value)


def _url(found: re.Match[str], key: str, entry: Entry, names: Names) -> str:
    name = names.hide(f"the password in {key}", env_name(f"{key}_password"), found[2], entry.place)
    return f"{found[1]}${{{name}}}{found[3]}"


def look_for_secrets(entries: Iterable[Entry], names: Names) -> None:
    """What is left out may hold secrets, too, and stands in comments."""
    for entry in entries:
        if check_secret(entry.key.lower(), entry.value, ()):
            names.clear |= pieces(entry.value)


def without_secrets(comments: Iterable[str], names: Names) -> tuple[str, ...]:
    """Comments with nothing secret in them: an option that was commented out is an option all the same."""
    return tuple(_harmless(text, names) for text in comments)


def _harmless(text: str, names: Names) -> str:
    for secret in sorted(names.clear, key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = text.replace(secret, HIDDEN)
    key, _, value = text.strip("# ").partition(" ")
    if value.strip() and "${" not in value and check_secret(key.lower(), value.strip(), ()):
        return f"{text.partition(key)[0]}{key} {HIDDEN}"
    return text
