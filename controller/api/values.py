"""The scalar types that the kinds share.

Specs arrive with every scalar as its source text (spec rule "Values"), so each type here reads text.
Durations become seconds; a batch becomes a share or a count.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """camelCase keys outside, snake_case inside; unknown keys are errors; never changed once read.

    Validators are built on first use: those of a part that is only ever read within its whole are not needed.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=False, defer_build=True
    )


M = TypeVar("M", bound=Model)


def merged(base: M, override: M | None) -> M:
    """`base` with the keys that `override` really states."""
    if override is None or not override.model_fields_set:
        return base
    return base.model_copy(update={name: getattr(override, name) for name in override.model_fields_set})


DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
GLOB = r"^[A-Za-z0-9_*?-]{1,255}$"
EXCLUDABLE_GLOB = r"^!?[A-Za-z0-9_*?-]{1,255}$"
ARN = r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{0,12}:.+$"
ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

Label = Annotated[str, StringConstraints(pattern=DNS_LABEL)]
Glob = Annotated[str, StringConstraints(pattern=GLOB)]
ExcludableGlob = Annotated[str, StringConstraints(pattern=EXCLUDABLE_GLOB)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")]
SecretArn = Annotated[str, StringConstraints(pattern=ARN)]
_STEERING = re.compile(
    r".*aws_fluent_bit_init_.*|ecs_.*|aws_container_.*|aws_execution_env|ld_.*|flb_.*|bash.*|shellopts|path|ifs|env|ps4",
    re.IGNORECASE,
)


def _steers_nothing(name: str) -> str:
    """The init image loads the configs that its variables name, asks ECS_CONTAINER_METADATA_URI_V4 what to export,
    and is a bash script: whoever sets these decides what the router runs.
    """
    if _STEERING.fullmatch(name):
        raise PydanticCustomError(
            "owned_env", "{name} decides what the router runs: no secret can have this name", {"name": name}
        )
    return name


EnvName = Annotated[str, StringConstraints(pattern=ENV_NAME), AfterValidator(_steers_nothing)]
LogGroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/#-]{1,512}$")]
Text = Annotated[str, StringConstraints(min_length=1)]

_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


def truth(value: Any) -> bool:
    """YAML 1.1's words, in any case. `1`, `t` and `y` are no booleans, though pydantic alone takes them."""
    if isinstance(value, bool):
        return value
    found = _TRUTHS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("truth", "true or false is expected")
    return found


def whole(value: Any) -> int:
    """Decimal digits. `010` (eight to YAML 1.1, ten to 1.2), `1_000`, `1.0` and ` 1` are refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise PydanticCustomError("whole", "a whole number is expected, in plain decimal digits")
    return int(value)


Bool = Annotated[bool, BeforeValidator(truth, json_schema_input_type=bool)]
Int = Annotated[int, BeforeValidator(whole, json_schema_input_type=int)]
Scalar = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text that people write without quotes where it looks like a number: ports, ids, environment values."""

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def seconds(value: Any) -> float:
    """`15m`, `1h30m`, `45s`, or a plain number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value)
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    if not re.fullmatch(r"([0-9]{1,9}(ms|s|m|h|d)){1,5}", text):
        raise PydanticCustomError("duration", "a duration is written like 30s, 15m or 8h")
    return float(sum(int(count) * _UNITS[unit] for count, unit in _DURATION.findall(text)))


def share(value: Any) -> str:
    """`10%` (of 1 to 100) or a whole number from 1; kept as text."""
    text = str(value)
    percent = re.fullmatch(r"([0-9]{1,3})%", text)
    if (percent and 1 <= int(percent[1]) <= 100) or re.fullmatch(r"[1-9][0-9]{0,5}", text):  # noqa: PLR2004 - 100 %
        return text
    raise PydanticCustomError("share", "a share is written like 10% (1 to 100), a count like 5")


CRON_FIELDS = 5
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def cron(value: str) -> str:
    """Minute, hour, day of the month, month, day of the week, as in crontab(5); one that happens at all."""
    try:
        if len(value.split()) == CRON_FIELDS and next(CronSim(value, _SOME_DAY), None) is not None:
            return value
    except CronSimError:
        pass
    raise PydanticCustomError("cron", "a cron has five fields, as `0 9 * * 1-5`, and happens at least once")


def time_zone(value: str) -> str:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("time_zone", "a time zone is written like Asia/Tokyo or UTC") from None
    return value


def _includes_something(globs: tuple[str, ...]) -> tuple[str, ...]:
    if globs and all(glob.startswith("!") for glob in globs):
        raise PydanticCustomError("only_excludes", "only exclusions: nothing is selected; add '*' for the rest")
    return globs


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str | int)]
Cron = Annotated[str, AfterValidator(cron)]
TimeZone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{1,64}$"), AfterValidator(time_zone)]
Share = Annotated[str, BeforeValidator(share, json_schema_input_type=str | int)]
Globs = Annotated[tuple[ExcludableGlob, ...], AfterValidator(_includes_something)]


def amount(value: str, of: int) -> int:
    """How many of `of` a Share means; never less than one."""
    return max(1, of * int(value[:-1]) // 100) if value.endswith("%") else int(value)
