"""The settings: a YAML file by `--config`, environment variables over it (spec.md's table)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic_settings
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from controller.api import yamls
from controller.api.errors import Explained
from controller.api.tenants import Tenant
from controller.api.values import ARN, Duration, Glob, Label, Model, Region, Share


class SettingsError(Explained):
    """The settings cannot be used; the text says which key, why, and where it was looked for."""


TOLD = ConfigDict(use_attribute_docstrings=True)
"""What stands below a field is what docs/settings.md says of it."""


class AccountSettings(Model):
    """How to get into an account, and where to look there. Empty: the controller's own credentials."""

    model_config = TOLD

    role_arn: Annotated[str, StringConstraints(pattern=ARN)] | None = None
    """The role that is assumed there; none: the controller's own account."""
    external_id: str | None = None
    """What that role's trust policy asks for."""
    regions: tuple[Region, ...] = ()
    """The regions to look after; the controller's own when empty."""
    clusters: tuple[Glob, ...] = ()
    """Names and globs: LogRoute looks nowhere else here, whatever specs say; everywhere when empty."""
    shards: dict[Label, Annotated[tuple[Glob, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """In the place of `clusters`: names of parts, each with its clusters, which replicas share: see
    [replicas.md](replicas.md). A cluster is of the first part that names it.
    """

    @model_validator(mode="after")
    def _is_bounded_once(self) -> Self:
        if self.shards and self.clusters:
            raise ValueError("clusters and shards both say where to look: give one of them")
        return self


class Guards(Model):
    model_config = TOLD

    max_share: Share = "20%"
    """Beyond this share of the services that are looked after, and beyond `maxCount`, restores and repairs that no
    changed spec explains wait for `logroute approve`.
    """
    max_count: int = Field(3, ge=0)
    """See `maxShare`."""
    first_run: Literal["apply", "plan"] = "apply"
    """`plan`: a first run writes nothing before it is approved."""
    self_: Literal["refuse", "allow"] = Field("refuse", alias="self")
    """`refuse`: the controller's own ECS service is out of reach of specs; its task metadata tells which it is."""


def _fraction(value: Any) -> Any:
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else value


class Limits(Model):
    model_config = TOLD

    share: Annotated[float, BeforeValidator(_fraction), Field(gt=0, le=100)] = 0.5
    """Share of AWS's sustained call rates that is used, such as `50%`; over `100%` only where AWS raised the quotas."""


def _off(value: Any) -> Any:
    """YAML 1.1 takes an unquoted off for false."""
    return "off" if value is False else value


class Deny(Model):
    """What LogRoute goes nowhere near, whatever specs and other settings say."""

    model_config = TOLD

    accounts: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,63}$")], ...] = ()
    """Names of the setting `accounts`, or account ids of 12 digits."""
    clusters: tuple[Glob, ...] = ()
    """Names and globs, in every account."""


class Garbage(Model):
    """What nothing needs any more. `configs`: config objects that nothing has named for `grace_days`; `revisions`:
    those of LogRoute's own beyond the latest `keep_revisions` of a family.
    """

    model_config = TOLD

    configs: Annotated[Literal["off", "dry-run", "delete"], BeforeValidator(_off)] = "dry-run"
    """Config objects that nothing names: told only, or deleted."""
    grace_days: int = Field(30, ge=1, le=3650)
    """Days for which nothing must have named them."""
    revisions: Annotated[Literal["off", "dry-run", "deregister"], BeforeValidator(_off)] = "off"
    """Superseded revisions of LogRoute's own: told only, or deregistered."""
    keep_revisions: int = Field(10, ge=1, le=1000)
    """The latest of a family that stay."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str | Path) else value


Files = Annotated[tuple[Path, ...], BeforeValidator(_several)]
KeyFiles = Annotated[Files, Field(min_length=1)]
SIGNED = ConfigDict(validate_by_name=True, validate_by_alias=True, use_attribute_docstrings=True)


class GitVerify(Model):
    """Whose signature the head of a git source must carry."""

    model_config = SIGNED

    mode: Literal["commit", "tag"] = "commit"
    """`commit`: the head commit must be signed; `tag`: the annotated tag that the source names."""
    keys: KeyFiles
    """Files of GPG public keys, and of SSH keys in the format of git's allowed signers."""
    revoked: Files = ()
    """Files of keys taken back: GPG's keys or revocation certificates, SSH's public keys or a list by ssh-keygen -k."""


class GitSettings(Model):
    """In the environment each is a variable of its own: LOGROUTE_GIT_TOKEN_FILE.

    LOGROUTE_GIT_TOKEN is no setting: it is the secret itself, and read where it is sent.
    """

    model_config = SIGNED

    token_file: Path | None = None
    """A file with the token for https."""
    ssh_key_file: Path | None = None
    """A private key for ssh."""
    known_hosts_file: Path | None = None
    """The hosts that ssh may talk to."""
    token_secret_arn: Annotated[str, StringConstraints(pattern=ARN)] | None = None
    """A Secrets Manager secret with the token."""
    verify: GitVerify | None = None
    """Whose signature a head must carry, as `{mode, keys, revoked}`; JSON in the environment. Unset: anybody's commit
    counts. See [signed-specs.md](signed-specs.md).
    """


class S3Verify(Model):
    """Whose signature the manifest of an S3 source must carry."""

    model_config = SIGNED

    keys: KeyFiles
    """See `git.verify`."""
    revoked: Files = ()
    """See `git.verify`."""


class S3Settings(Model):
    model_config = SIGNED

    bucket_owner: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    """The account that the source's bucket must belong to."""
    versioning: Annotated[Literal["off", "require"], BeforeValidator(_off)] = "off"
    """`require`: the source's bucket must keep versions."""
    verify: S3Verify | None = None
    """Whose signature the object `MANIFEST` must carry, as `{keys, revoked}`; JSON in the environment. See
    [signed-specs.md](signed-specs.md).
    """


def _text_keys(value: Any) -> Any:
    """YAML takes an unquoted 5.1 for a number."""
    return {str(key): path for key, path in value.items()} if isinstance(value, dict) else value


StoreUrl = Annotated[
    str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.{}-]{1,80}[a-z0-9}](/[A-Za-z0-9._{}/-]*)?$")
]


EngineVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+(\.\d+)?$")]
Interval = Annotated[Duration, Field(gt=0)]


class Settings(BaseSettings):
    """`region` None: botocore's own choice. `config_store` may hold `{account}` and `{region}`."""

    model_config = SettingsConfigDict(
        env_prefix="LOGROUTE_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    source: str = ""
    """Where the specs are: see below. `plan` and `apply` take `--source`."""
    config_store: StoreUrl | None = None
    """`s3://bucket/prefix` of configs and state; may hold `{account}` and `{region}`."""
    owner: Label = "logroute"
    """This installation's id, in marks and leases. It must never change."""
    region: Region | None = None
    """The controller's own; botocore's choice when absent."""
    accounts: dict[Label, AccountSettings] = Field(default_factory=lambda: {"main": AccountSettings()}, min_length=1)
    """By the names that specs give them: see [accounts.md](accounts.md)."""
    lease: Annotated[str, StringConstraints(pattern=r"^(s3|dynamodb://[A-Za-z0-9_.-]{3,255})$")] = "s3"
    """Where replicas keep leases: `s3`, in the config store, or `dynamodb://TABLE`: see [replicas.md](replicas.md)."""
    listen: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.:\[\]-]+:[0-9]{1,5}$")] = "0.0.0.0:9090"
    """Address and port of `/metrics`, `/healthz` and `/readyz`."""
    poll: Interval = 30.0
    """How often the source, and what people asked for, is looked at."""
    resync: Interval = 300.0
    """How often every service is looked at."""
    guards: Guards = Guards()
    """What waits for a person."""
    read_only: bool = False
    """`true`: it plans and reports, and writes nothing at all: see [bounds.md](bounds.md)."""
    deny: Deny = Deny()
    """What it goes nowhere near."""
    limits: Limits = Limits()
    """How much of AWS's rates is used."""
    garbage: Garbage = Garbage()
    """What nothing needs any more: see [garbage.md](garbage.md)."""
    fluent_bit: Annotated[dict[EngineVersion, Path], BeforeValidator(_text_keys)] = {}
    """Engine version → path of a Fluent Bit binary on which configs are tried: see [check.md](check.md)."""
    lua: Literal["refuse", "allow"] = "refuse"
    """Whether specs may hold Lua, which runs in the router with the rights of the task."""
    preflight: Annotated[Literal["enforce", "warn", "off"], BeforeValidator(_off)] = "enforce"
    """Whether a service whose roles lack a right that its router needs is held, told of, or not looked at: see
    [preflight.md](preflight.md).
    """
    tenants: tuple[Tenant, ...] = ()
    """Who may target and use what; one tenant for all when empty: see [tenants.md](tenants.md)."""
    git: GitSettings = GitSettings()
    """How git logs in, and whose signature counts. In the environment each key is a variable of its own."""
    s3: S3Settings = S3Settings()
    """What is asked of the bucket of an S3 source. In the environment each key is a variable of its own."""

    def for_writing(self) -> Self:
        """Raises SettingsError where nothing may be written."""
        if self.read_only:
            raise SettingsError("readOnly is set: nothing is written here; use settings without it")
        return self

    @property
    def home_account(self) -> str:
        """The controller's own account: `main`, or the first that is entered without a role. Raises SettingsError."""
        own = [name for name, account in self.accounts.items() if account.role_arn is None]
        if not own:
            raise SettingsError("accounts: none is the controller's own (one without roleArn)")
        return "main" if "main" in own else own[0]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as keyword arguments."""
        del settings_cls, dotenv_settings, file_secret_settings

        def environment() -> dict[str, Any]:
            found = env_settings()
            if isinstance(git := found.get("git"), dict):
                git.pop("token", None)
            return found

        return environment, init_settings  # type: ignore[return-value] # a callable is all that it has to be


def load(path: Path | None = None, **stated: Any) -> Settings:
    """The settings of a file (or none), the environment, and what the command line states. Raises SettingsError."""
    said = {key: value for key, value in stated.items() if value is not None}
    try:
        found = Settings(**_file(path))
        return found.model_copy(update=said) if said else found
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"{error}: the value must be JSON") from error


def load_tenants(path: Path) -> Settings:
    """A file of settings, of which the rest may be missing, or a list of tenants. Raises SettingsError."""
    plain = _yaml(path)
    if not isinstance(plain, list):
        return load(path)
    try:
        return Settings(tenants=plain)
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    plain = _yaml(path)
    if plain is None:
        return {}
    if not isinstance(plain, dict):
        raise SettingsError(f"{path}: the top level must be a mapping of settings")
    names = {to_camel(name): name for name in Settings.model_fields}
    if strange := sorted(str(key) for key in plain if key not in names):
        raise SettingsError(f"{path}: unknown setting {strange[0]!r}; known are {', '.join(sorted(names))}")
    return {names[key]: value for key, value in plain.items()}


def _yaml(path: Path) -> Any:
    try:
        return yamls.load(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except yamls.NotYaml as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error


def _explain(error: ValidationError, path: Path | None) -> str:
    where = f"{path} or the environment" if path else "the environment"
    lines = (
        f"  {'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    )
    return "\n".join([f"settings from {where}:", *lines])
