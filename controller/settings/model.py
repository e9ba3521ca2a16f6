"""All settings as one model (spec.md's table)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from controller.api.errors import Explained
from controller.api.tenants import Tenant
from controller.api.values import Duration, Label, Region
from controller.notifying.commits import CommitStatusSettings
from controller.notifying.settings import NotificationSettings
from controller.settings.bounds import Garbage, Guards, Limits
from controller.settings.parsing import off
from controller.settings.places import AccountSettings, Deny
from controller.settings.sources import GitSettings, S3Settings
from controller.settings.web import ApiSettings, EventSettings, HookSettings


class SettingsError(Explained):
    """The settings cannot be used; the text says which key, why, and where it was looked for."""


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
    """Address and port of the status page, the API, `/metrics`, `/healthz`, `/readyz` and hooks."""
    api: ApiSettings = ApiSettings()
    """Who may ask for something over HTTP: see [api.md](api.md)."""
    hooks: HookSettings = HookSettings()
    """Who may say that the source changed: see [hooks.md](hooks.md)."""
    poll: Interval = 30.0
    """How often the source, and what people asked for, is looked at."""
    resync: Interval = 300.0
    """How often every service is looked at."""
    events: EventSettings = EventSettings()
    """Events of AWS that say where to look at once: see [events.md](events.md)."""
    commit_status: CommitStatusSettings | None = None
    """Whether each commit of a git source is told, at its forge, what became of it: see
    [notifications.md](notifications.md).
    """
    notifications: tuple[NotificationSettings, ...] = ()
    """Who is told of what happens, in the file or as JSON: see [notifications.md](notifications.md)."""
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
    preflight: Annotated[Literal["enforce", "warn", "off"], BeforeValidator(off)] = "enforce"
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
