"""The settings, each with its default, its allowed values and its purpose. docs/settings.md is made from this."""

import os
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.settings.kinds import (
    ApiAddress,
    ApiKey,
    ConnectionString,
    Duration,
    PlainText,
    durations,
    lower,
    networks,
    pairs,
    upper,
    within,
)
from dataset_jobs.host import host_name
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.durations import format_duration
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.limits import MIB, Limits
from dataset_jobs.postgres.session import DEFAULT_SCHEMA, SCHEMA_PATTERN, in_schema
from dataset_jobs.storage import StorageConfig
from services.address_look import LookLimits


def _default_home() -> Path | None:
    # As root the embedded Postgres runs as another user, and everybody has to pass through every folder above the
    # data: not to be done to /root.
    if os.geteuid() == 0:
        return Path("/var/lib/affirm-worker")
    if (data := Path(os.environ.get("XDG_DATA_HOME", ""))).is_absolute():
        return data / "affirm-worker"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    # A relative one is another folder wherever the command is called.
    return home / ".local/share/affirm-worker" if home.is_absolute() else None


def _setting(default: Any, what: str, allowed: str, shown: str | None = None, **constraints: Any) -> Any:
    """A field. `shown` is the default as the documentation has it, where its value says too little."""
    extra: dict[str, JsonValue] = {"allowed": allowed, "shown": shown}
    if callable(default):
        return Field(default_factory=default, description=what, json_schema_extra=extra, **constraints)
    return Field(default, description=what, json_schema_extra=extra, validate_default=False, **constraints)


def _limit(name: str, what: str, most: int) -> Any:
    """A field of `Limits`, whose default it has."""
    return _setting(getattr(Limits(), name), what, f"a whole number from 1 to {most}", ge=1, le=most)


_HOUR = timedelta(hours=1)
_A_URL = "a Postgres connection URL, such as postgresql://user:password@host:5432/database"


class Settings(BaseSettings):
    """Every setting, by the lower-case name of its variable. An empty variable counts as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: ConnectionString | None = _setting(
        None, "The database. Without it, a Postgres of its own runs while the command does.", _A_URL,
        "the embedded Postgres", repr=False,
    )  # fmt: skip
    runner_database_url: ConnectionString | None = _setting(
        None, "What runners connect to, in a role with fewer rights.", _A_URL, "`DATABASE_URL`", repr=False
    )
    database_direct_url: ConnectionString | None = _setting(
        None, "For LISTEN, if `DATABASE_URL` leads to a transaction-mode pooler.", _A_URL, "`DATABASE_URL`",
        repr=False,
    )  # fmt: skip
    database_schema: str = _setting(
        DEFAULT_SCHEMA, "The schema of the database that the tables are in; `migrate` makes it.",
        "lower-case letters, digits and underscores, at most 63", pattern=SCHEMA_PATTERN,
    )  # fmt: skip
    database_max_connections: int = _setting(
        10, "The most connections that a controller keeps open, runners not counted.",
        "a whole number from 2 to 1000", ge=2, le=1000,
    )  # fmt: skip
    worker_concurrency: int = _setting(
        4, "Runs at once of this controller, with the process launcher; on Kubernetes the pool decides.",
        "a whole number from 1 to 1024", ge=1, le=1024,
    )  # fmt: skip
    worker_poll_interval: Annotated[Duration, within(timedelta(milliseconds=50), _HOUR)] = _setting(
        timedelta(seconds=5), "How often to look for work without a notification.",
        "a duration from 50ms to 1h, such as 5s, 500ms or 1m30s", "5s",
    )  # fmt: skip
    worker_max_retries: int = _setting(
        3, "Tries after the first one, if a later try can pass.", "a whole number from 0 to 100", ge=0, le=100
    )
    worker_retry_waits: Annotated[
        tuple[Annotated[timedelta, within(timedelta(0), 24 * 7 * _HOUR)], ...],
        NoDecode, BeforeValidator(durations), Field(min_length=1),
    ] = _setting(
        (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)),
        "The waits after the first failed attempt, the second and so on; the last one holds for all that follow.",
        "durations of at most 7d with commas between them, such as 1m,5m,15m", "1m,5m,15m",
    )  # fmt: skip
    worker_start_deadline: Annotated[Duration, within(timedelta(seconds=10), 24 * _HOUR)] = _setting(
        timedelta(minutes=5), "How long a pod may fail to start before it is removed and its claim released.",
        "a duration from 10s to 24h, such as 5m", "5m",
    )  # fmt: skip
    worker_run_deadline: Annotated[Duration, within(timedelta(seconds=1), 24 * 365 * _HOUR)] = _setting(
        timedelta(minutes=15), "How long a run may take, with the process launcher; pods have a deadline of their own.",
        "a duration from 1s to 365d, such as 15m", "15m",
    )  # fmt: skip
    worker_retention: Annotated[Duration, within(_HOUR, 24 * 3650 * _HOUR)] = _setting(
        timedelta(days=30), "How long finished jobs and their runs are kept; datasets and rows stay for ever.",
        "a duration from 1h to 3650d, such as 30d", "30d",
    )  # fmt: skip
    worker_shutdown_grace: Annotated[Duration, within(timedelta(0), _HOUR)] = _setting(
        timedelta(seconds=30), "How long running children may go on after SIGTERM, with the process launcher.",
        "a duration from 0s to 1h, such as 30s", "30s",
    )  # fmt: skip
    pool: str = _setting(
        "default", "The queue: submitted jobs go there, and the controller claims from it.",
        "lower-case letters, digits and hyphens, at most 63", pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    )  # fmt: skip
    pool_max_parallelism: int | None = _setting(
        None, "The pool's maximum of runs at once, of all controllers together; set at a start after a change of it.",
        "a whole number from 0 to 100000", "as the database has it; 64 for a new pool", ge=0, le=100_000,
    )  # fmt: skip
    pool_max_pending: int | None = _setting(
        None, "How many of the pool's runs may be unstarted at once: pods that wait for a node, say; set likewise.",
        "a whole number from 1 to 100000", "as the database has it; 100 for a new pool", ge=1, le=100_000,
    )  # fmt: skip
    pool_make_parser_pool: bool = _setting(
        False, "With the kubernetes launcher: make a ParserPool of the pool, once, if none has ever described it.",
        "true or false", "false",
    )  # fmt: skip
    storage_type: Annotated[Literal["local", "s3"], BeforeValidator(lower)] = _setting(
        "local", "Where the files of datasets are kept.", "local or s3"
    )
    storage_path: str = _setting(
        "", "`local`: the folder; runners must see the same one.", "a folder", "`AFFIRM_WORKER_HOME`/storage"
    )
    storage_s3_bucket: str = _setting("", "`s3`: the bucket.", "the bucket's name", "")
    storage_s3_region: str = _setting("", "`s3`: its region.", "a region, such as eu-central-1", "as boto3 finds it")
    storage_s3_endpoint: str = _setting("", "`s3`: a server other than AWS.", "an http or https URL", "AWS")
    storage_s3_prefix: str = _setting("", "`s3`: put before every key.", "a path, such as names/files", "")
    limit_file_mib: int = _limit("file_mib", "Files of more MiB are refused.", 1_048_576)
    limit_zip_members: int = _limit("zip_members", "Archives and workbooks of more files are refused.", 1_000_000)
    limit_unpacked_mib: int = _limit("unpacked_mib", "So are those of more MiB, unpacked.", 1_048_576)
    limit_unpacked_ratio: int = _limit(
        "unpacked_ratio", "So are those that grow by more than this factor, unpacked.", 1_000_000
    )
    limit_workbook_memory_mib: int = _limit(
        "workbook_memory_mib", "MiB of address space that reading a workbook may take, in a process of its own.",
        1_048_576,
    )  # fmt: skip
    limit_rows: int = _limit("rows", "Files that give more rows are refused.", 1_000_000_000)
    limit_cell_chars: int = _limit(
        "cell_chars", "Characters that a cell may have, and bytes that a line may have.", 100_000_000
    )
    limit_name_chars: int = _limit("name_chars", "Characters that a name may have.", 1000)
    limit_cpu_seconds: int = _limit(
        "cpu_seconds", "Files that take more seconds of processor to read are refused.", 31_536_000
    )
    schedule_allow_loopback: bool = _setting(
        False, "Schedules may ask addresses of this machine itself, such as http://localhost:8000/.", "true or false",
        "false",
    )  # fmt: skip
    health_port: int | None = _setting(
        None,
        "Serves /healthz, /readyz and /metrics there.",
        "a port from 1 to 65535",
        "no health server",
        ge=1,
        le=65535,
    )
    api_listen: PlainText = _setting(
        "127.0.0.1:8080", "Where the API listens; port 0 is any that is free.", "an address and a port",
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
    )  # fmt: skip
    api_metrics_port: int | None = _setting(
        None, "The API serves its /metrics there.", "a port from 1 to 65535", "no metrics of the API", ge=1, le=65535
    )
    api_max_connections: int = _setting(
        10, "The most connections to the database that an API keeps open.", "a whole number from 1 to 1000",
        ge=1, le=1000,
    )  # fmt: skip
    api_requests_per_minute: int = _setting(
        3000, "Requests a minute of each key at one API process; so many may come at once.",
        "a whole number from 1 to 1000000", ge=1, le=1_000_000,
    )  # fmt: skip
    api_spool_dir: Path | None = _setting(
        None, "Where the API keeps files while it receives them: API_UPLOADS_AT_ONCE times LIMIT_FILE_MIB at most.",
        "a folder", "the folder for temporary files",
    )  # fmt: skip
    api_uploads_at_once: int = _setting(
        8, "Files that one API process receives at a time.", "a whole number from 1 to 1000", ge=1, le=1000
    )
    api_validate_deadline: Annotated[Duration, within(timedelta(seconds=1), _HOUR)] = _setting(
        timedelta(seconds=60), "How long the API may take to read a file that is only to be checked.",
        "a duration from 1s to 1h, such as 1m", "1m",
    )  # fmt: skip
    api_read_only: bool = _setting(False, "The API refuses all that would change something.", "true or false", "false")
    api_public_names: bool = _setting(
        False, "Everybody may read names, countries and what belongs to them, without a key.", "true or false", "false"
    )
    api_trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(networks)
    ] = _setting(
        (), "Networks whose proxies are believed: X-Forwarded-User, X-Forwarded-Groups, X-Forwarded-For.",
        "networks with commas between them, such as 10.1.0.0/16,fd00::/8", "none",
    )  # fmt: skip
    api_proxy_roles: Annotated[
        tuple[tuple[str, Literal["viewer", "uploader", "admin"]], ...], NoDecode, BeforeValidator(pairs)
    ] = _setting(
        (), "What roles the groups that such a proxy names have; * is everybody it names.",
        "GROUP=ROLE with commas between them, such as data-team=uploader,*=viewer", "none",
    )  # fmt: skip
    api_local_role: Annotated[Literal["viewer", "uploader", "admin"] | None, BeforeValidator(lower)] = _setting(
        None, "What may be done without a key from this machine itself, if the API listens only there.",
        "viewer, uploader or admin", "nothing",
    )  # fmt: skip
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(lower)] = _setting(
        "auto", "JSON, one object a line, or short lines for people; auto: by whether stderr is a terminal.",
        "auto, json or console",
    )  # fmt: skip
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(upper)
    ] = _setting(
        "INFO", "The least severe lines to log.", "debug, info, warning, error or critical", "info"
    )  # fmt: skip
    runner_config: Path | None = _setting(
        None, "How runner pods are made, with the kubernetes launcher.", "the path of a JSON file", "",
    )  # fmt: skip
    namespace: str = _setting(
        "default", "Where the Kubernetes Jobs of runners go.", "a namespace's name",
        pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
    )  # fmt: skip
    worker_controller_name: PlainText = _setting(
        "affirm-worker", "Which ParserPools are this installation's: those that give this as their `controller`.",
        "a name of at most 63 characters", min_length=1, max_length=63,
    )  # fmt: skip
    worker_id: PlainText = _setting(
        host_name, "This controller's name, in logs and on the runs it claims.",
        "at most 200 characters", "the host's name", min_length=1, max_length=200,
    )  # fmt: skip
    worker_uid: PlainText = _setting(
        "", "The uid of the controller's own pod, whose name is WORKER_ID: its Kubernetes events are about it.",
        "a uid", "events without one",
    )  # fmt: skip
    affirm_worker_home: Path | None = _setting(
        _default_home, "The folder of the embedded Postgres, and of stored files.", "a folder",
        "affirm-worker in $XDG_DATA_HOME or ~/.local/share; as root /var/lib/affirm-worker",
    )  # fmt: skip
    affirm_worker_api: ApiAddress | None = _setting(
        None, "The API that commands ask instead of a database; `api` in a context.",
        "an http or https URL, such as https://names.example.org", "the database is asked",
    )  # fmt: skip
    affirm_worker_key: ApiKey | None = _setting(
        None, "The key that they send to it; `key` in a context.", "a key, aw_ and 52 more letters",
        "no key", repr=False,
    )  # fmt: skip
    affirm_worker_key_file: Path | None = _setting(
        None, "Or a file whose only line is the key.", "the path of a file", "no file"
    )

    @property
    def home(self) -> Path:
        """`affirm_worker_home`, absolute; raises Misconfigured."""
        if self.affirm_worker_home is None:
            raise Misconfigured(
                f"AFFIRM_WORKER_HOME is not set, and user id {os.geteuid()} has no home folder (HOME is not set or not"
                " absolute): set it to a folder that can be written, or set DATABASE_URL and STORAGE_PATH",
                Reason.CONFIG,
            )
        try:
            return self.affirm_worker_home.expanduser().absolute()
        except (RuntimeError, OSError):
            raise Misconfigured(
                f"AFFIRM_WORKER_HOME is {str(self.affirm_worker_home)!r}, which leads nowhere from here; allowed: an"
                " absolute path",
                Reason.CONFIG,
            ) from None

    def in_schema(self, conninfo: str) -> str:
        """A connection string that leads to `database_schema`."""
        return in_schema(conninfo, self.database_schema)

    @property
    def limits(self) -> Limits:
        """The LIMIT_* settings."""
        names = (name for name in type(self).model_fields if name.startswith("limit_"))
        return Limits(**{name.removeprefix("limit_"): getattr(self, name) for name in names})

    @property
    def look_limits(self) -> LookLimits:
        """What a schedule's look at an address may take."""
        return LookLimits(self.limit_file_mib * MIB, loopback=self.schedule_allow_loopback)

    @property
    def storage(self) -> StorageConfig:
        """The STORAGE_* settings; raises Misconfigured."""
        names = (name for name in type(self).model_fields if name.startswith("storage_"))
        default = self.home / "storage" if self.keeps_files_at_home else None
        return StorageConfig.from_env({name.upper(): getattr(self, name) for name in names}, default)

    @property
    def keeps_files_at_home(self) -> bool:
        """Whether stored files are below `home`."""
        return self.storage_type == "local" and not self.storage_path.strip()


def allowed(field: FieldInfo) -> str:
    """What values a setting may have, in words."""
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["allowed"])


def default_in_words(field: FieldInfo) -> str:
    """The default of a setting; empty if there is none."""
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    if extra["shown"] is not None:
        return str(extra["shown"])
    value = field.default
    if isinstance(value, timedelta):
        return format_duration(value)
    return "" if value is None else str(value)


def is_secret(field: FieldInfo) -> bool:
    """Whether a value may hold a password."""
    return not field.repr
