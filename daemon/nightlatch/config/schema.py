"""The settings, as frozen models. docs/configuration.md is held to their descriptions.

MUST 1: an unknown key is an error, and so is a value of another type than the setting's.
MUST 2: no setting turns a protection off, and none holds a secret: secrets are in files of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from nightlatch.config.applications import ApplicationsListener, ClientSettings
from nightlatch.config.notices import NoticesSettings
from nightlatch.config.policies import PolicyScopes, PolicySettings
from nightlatch.config.roles import AdministrationSettings, RoleSettings
from nightlatch.config.sending import SendingSettings
from nightlatch.config.telemetry import MetricsSettings, TracingSettings
from nightlatch.config.webhook import WebhookSettings
from nightlatch.directories.settings import DirectorySettings

LONGEST_SOCKET_PATH = 107
"""Bytes that fit `sun_path` of unix(7), without its final NUL."""
ROOM_FOR_INNER_SOCKETS = 27
"""Bytes kept free below `daemon.runtime_dir` for the names of the sockets in it."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f'"{path}" depends on where it is read from.\nWrite the whole path, from "/" on.')
    return path


def _socket(path: Path) -> Path:
    if len(bytes(path)) > LONGEST_SOCKET_PATH:
        raise ValueError(
            f"the path of a socket has at most {LONGEST_SOCKET_PATH} bytes, this one has {len(bytes(path))}."
        )
    return path


def _runtime_dir(path: Path) -> Path:
    longest = LONGEST_SOCKET_PATH - ROOM_FOR_INNER_SOCKETS
    if len(bytes(path)) > longest:
        raise ValueError(
            f"sockets are made in here, so the path has at most {longest} bytes, not {len(bytes(path))}."
        )
    return path


def _store_url(url: str) -> str:
    if url == "sqlite":
        return url
    remedy = 'Write "sqlite", or "postgresql://USER@HOST/DATABASE".'
    try:
        parts = urlsplit(url)
        secret_inside = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        raise ValueError(f"this is no database URL.\n{remedy}") from None
    if secret_inside:
        raise ValueError(
            "a password does not belong in the URL.\n"
            "Take it out, and name a file that holds it in store.password_file."
        )
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError(f"this is no database that nightlatch knows.\n{remedy}")
    return url


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
SocketPath = Annotated[AbsolutePath, AfterValidator(_socket)]
Uid = Annotated[int, Field(ge=0, le=2**32 - 2)]
PluginName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Table(BaseModel):
    """The root of every table: unknown keys are errors, and nothing changes after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DaemonSettings(Table):
    """Where the daemon keeps its own things."""

    state_dir: AbsolutePath = Field(
        Path("/var/lib/nightlatch"),
        description="The folder of the embedded database and of the key that belongs to it; mode 0700.",
    )
    runtime_dir: Annotated[AbsolutePath, AfterValidator(_runtime_dir)] = Field(
        Path("/run/nightlatchd"),
        description="A private folder for the daemon's inner sockets; mode 0700, emptied at every start.",
    )

    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        1,
        description="How many processes serve side by side; about one for each processor that the daemon may "
        "fill. With more than one, a parent starts them and replaces those that end.",
    )


class PamListener(Table):
    """The socket that `pam_nightlatch.so` talks to."""

    socket: SocketPath = Field(
        Path("/run/nightlatch/pam.sock"),
        description="The unix socket that PAM modules log people in through.",
    )
    allow_uids: tuple[Uid, ...] = Field(
        (0,),
        min_length=1,
        description="The users whose processes may log people in; sshd, sudo and login are root.",
    )


class AdminListener(Table):
    """The socket that the command line talks to."""

    socket: SocketPath = Field(
        Path("/run/nightlatch/admin.sock"),
        description="The unix socket that administrators use, through the command nightlatch.",
    )
    allow_uids: tuple[Uid, ...] = Field(
        (0,), min_length=1, description="The users who may enrol, remove and unlock anybody."
    )


class AccountListener(Table):
    """The socket that people reach their own account through."""

    socket: SocketPath = Field(
        Path("/run/nightlatch/account.sock"),
        description="The unix socket of nightlatch account; every user of this host may open it. "
        "People always sign in there: which user they are proves nothing.",
    )


class Listeners(Table):
    """Where the daemon listens. Authority belongs to the socket, never to what a caller says."""

    pam: PamListener = Field(PamListener(), description="Logins by PAM.")
    admin: AdminListener = Field(AdminListener(), description="Administration.")
    account: AccountListener | None = Field(
        None,
        description="People's own accounts. Without this table, nobody of this host reaches theirs.",
    )
    applications: ApplicationsListener | None = Field(
        None, description="Applications, over the network. Without this table, nothing listens there."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        names = ["pam", "admin", *(["account"] if self.account else [])]
        sockets = [self.pam.socket, self.admin.socket, *([self.account.socket] if self.account else [])]
        if len(set(sockets)) < len(sockets):
            raise ValueError(
                f"{' and '.join(names)} can not share one socket.\n"
                "Give each its own, so that each has its own rights."
            )
        return self


class StoreSettings(Table):
    """Where credentials, limits and the audit are kept."""

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        "sqlite",
        description='The database: "sqlite" for the embedded one in daemon.state_dir, '
        'or "postgresql://USER@HOST/DATABASE" for one that several daemons share.',
    )
    password_file: AbsolutePath | None = Field(
        None, description="A file with the database password in its first line, readable by the daemon alone."
    )
    key_file: AbsolutePath | None = Field(
        None,
        description="The file with the 32-byte key that seals every secret in the store; must exist. "
        "Left out: master.key in daemon.state_dir, made by the daemon for a new embedded store.",
    )

    @model_validator(mode="after")
    def _password_belongs_to_a_server(self) -> Self:
        if self.url == "sqlite" and self.password_file is not None:
            raise ValueError("the embedded database has no password.\nRemove password_file, or set url.")
        return self


class AuditSettings(Table):
    """How long the audit is kept."""

    retention_days: int = Field(
        400,
        ge=0,
        le=36_500,
        description="For how many days rows of the audit are kept; 0 for ever.",
    )


class ClockSettings(Table):
    """Whom `nightlatch doctor` asks what time it is."""

    servers: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]+(:[0-9]{1,5})?$")], ...] = (
        Field(
            (),
            description="Time servers, as host or host:port. "
            "The daemon asks none: what keeps the host's clock does.",
        )
    )


class LogSettings(Table):
    """How the daemon tells what it does."""

    format: Literal["auto", "json", "console"] = Field(
        "auto", description='The form of a line: "auto" is "console" on a terminal and "json" elsewhere.'
    )
    level: Literal["debug", "info", "warning"] = Field(
        "info", description="The least important event to log. No level logs a secret."
    )
    calls: bool = Field(
        True,  # noqa: FBT003, a setting's default
        description="Whether each gRPC call has a line: method, caller, status code, time in ms, reference.",
    )


class PluginSettings(Table):
    """Which plugins may be loaded. What is not named here is not imported."""

    enabled: tuple[PluginName, ...] = Field(
        min_length=1, description='The plugins to load, by the name of their entry point, such as "totp".'
    )


class Config(Table):
    """The whole file."""

    daemon: DaemonSettings = Field(DaemonSettings(), description="Where the daemon keeps its own things.")
    listeners: Listeners = Field(Listeners(), description="Where the daemon listens.")
    store: StoreSettings = Field(
        StoreSettings(), description="Where credentials, limits and the audit are kept."
    )
    audit: AuditSettings = Field(AuditSettings(), description="How long the audit is kept.")
    clock: ClockSettings = Field(
        ClockSettings(), description="Whom `nightlatch doctor` asks what time it is."
    )
    log: LogSettings = Field(LogSettings(), description="How the daemon tells what it does.")
    metrics: MetricsSettings = Field(MetricsSettings(), description="Where Prometheus reads the metrics.")
    tracing: TracingSettings = Field(TracingSettings(), description="Where traces are sent.")
    plugins: PluginSettings = Field(description="Which plugins are loaded.")
    factors: dict[str, dict[str, object]] = Field(
        {}, description="One table for each factor, with the settings that its plugin declares."
    )
    channels: dict[str, dict[str, object]] = Field(
        {},
        description="One table for each way a message may leave: its kind, and the settings of that kind.",
    )
    sending: SendingSettings = Field(
        SendingSettings(), description="How many messages the installation sends, and in which language."
    )
    notices: NoticesSettings = Field(
        NoticesSettings(), description="Where people find help who are told of something."
    )
    webhook: WebhookSettings = Field(WebhookSettings(), description="A program that is told what happens.")
    directories: tuple[DirectorySettings, ...] = Field(
        min_length=1,
        description="Who finds people and checks their passwords: the first that knows the name.",
    )
    policy: PolicyScopes = Field(PolicyScopes(), description="What the scope words of rules mean.")
    clients: tuple[ClientSettings, ...] = Field(
        (), description="The applications that may call, and what each may do."
    )
    administration: AdministrationSettings = Field(
        AdministrationSettings(), description="Who has to sign in before administering."
    )
    roles: tuple[RoleSettings, ...] = Field((), description="Who administers, who helps, and who only looks.")
    policies: tuple[PolicySettings, ...] = Field(
        (), description="Who must show what. Where no rule matches, a second factor is required."
    )

    @field_validator("directories")
    @classmethod
    def _one_directory_a_name(
        cls, directories: tuple[DirectorySettings, ...]
    ) -> tuple[DirectorySettings, ...]:
        names = [directory.name for directory in directories]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f'two directories have the name "{twice[0]}".\n'
                "Give each its own: what people enrol belongs to the directory of that name."
            )
        return directories
