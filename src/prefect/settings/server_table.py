"""The table of settings of a server and of the store. Rows are as in `table`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from urllib.parse import quote

from prefect.exceptions import ConfigurationError
from prefect.settings.options import Section, derived, option, section
from prefect.settings.secret import SecretStr
from prefect.settings.services_table import ServerServicesSettings
from prefect.settings.table import LogLevel

__all__ = [
    "SQLAlchemySettings",
    "ServerAPISettings",
    "ServerConcurrencySettings",
    "ServerDatabaseSettings",
    "ServerEphemeralSettings",
    "ServerEventsSettings",
    "ServerLogsSettings",
    "ServerSettings",
    "ServerTasksSettings",
    "ServerUISettings",
]


def _connection_url(settings: Any) -> SecretStr:
    """Make the database's URL from its parts, or that of the embedded store where no driver is named."""
    database = settings.server.database
    if database.driver is None:
        return SecretStr(f"sqlite:///{quote(str(settings.home / 'prefect.db'))}")
    if database.driver.startswith("sqlite"):
        return SecretStr(f"sqlite:///{quote(database.name or str(settings.home / 'prefect.db'))}")
    missing = [part for part in ("host", "user", "name") if not getattr(database, part)]
    if missing:
        names = ", ".join(f"PREFECT_SERVER_DATABASE_{part.upper()}" for part in missing)
        raise ConfigurationError(
            f"PREFECT_SERVER_DATABASE_DRIVER is {database.driver!r}, which needs {names} too. "
            "Set them, or give the whole address as PREFECT_SERVER_DATABASE_CONNECTION_URL."
        )
    password = f":{quote(database.password.get_secret_value(), safe='')}" if database.password else ""
    port = f":{database.port}" if database.port else ""
    login = quote(database.user, safe="") + password
    return SecretStr(f"postgresql://{login}@{database.host}{port}/{quote(database.name, safe='')}")


def _ui_api_url(settings: Any) -> str:
    return settings.api.url or f"http://{settings.server.api.host}:{settings.server.api.port}/api"


class SQLAlchemySettings(Section):
    """The pool of database connections. All kept for the server (later): a store opens one a thread."""

    pool_size: int = option(
        5, "Connections that are kept open (server, later).", "PREFECT_SQLALCHEMY_POOL_SIZE"
    )
    pool_recycle: int = option(3600, "Seconds after which a connection is replaced (server, later).")
    pool_timeout: float | None = option(30.0, "Seconds to wait for a free connection (server, later).")
    max_overflow: int = option(
        10, "Further connections under load (server, later).", "PREFECT_SQLALCHEMY_MAX_OVERFLOW"
    )


class ServerDatabaseSettings(Section):
    """The store. Without a server it is the embedded one."""

    driver: Literal["postgresql+asyncpg", "postgresql", "sqlite+aiosqlite", "sqlite"] | None = option(
        None,
        "The kind of database, such as `postgresql`, to give its address in parts.",
        "PREFECT_API_DATABASE_DRIVER",
    )
    host: str | None = option(None, "The database's host.", "PREFECT_API_DATABASE_HOST")
    port: int | None = option(None, "The database's port.", "PREFECT_API_DATABASE_PORT")
    user: str | None = option(None, "The user to log in as.", "PREFECT_API_DATABASE_USER")
    name: str | None = option(None, "The database's name; for SQLite, its file.", "PREFECT_API_DATABASE_NAME")
    password: SecretStr | None = option(None, "The user's password.", "PREFECT_API_DATABASE_PASSWORD")
    connection_url: SecretStr | None = derived(
        _connection_url,
        "The address of the database: a SQLite file under PREFECT_HOME, or `postgresql://…`.",
        "PREFECT_API_DATABASE_CONNECTION_URL",
    )
    timeout: float | None = option(
        None,
        "Seconds that a writer waits for other processes (SQLite; 60 unless given), or that a statement may "
        "take (PostgreSQL; no limit unless given).",
        "PREFECT_API_DATABASE_TIMEOUT",
    )
    connection_timeout: float | None = option(
        None,
        "Seconds to wait for a connection (PostgreSQL; 30 unless given).",
        "PREFECT_API_DATABASE_CONNECTION_TIMEOUT",
    )
    echo: bool = option(False, "Log every statement (store, later).", "PREFECT_API_DATABASE_ECHO")
    migrate_on_start: bool = option(
        True,
        "Kept for code that reads it: tables are always brought up to date.",
        "PREFECT_API_DATABASE_MIGRATE_ON_START",
    )
    sqlalchemy: SQLAlchemySettings = section(SQLAlchemySettings)


class ServerAPISettings(Section):
    """How a server serves."""

    auth_string: SecretStr | None = option(
        None, "`user:password` that a server asks its clients for. They send it as PREFECT_API_AUTH_STRING."
    )
    key: SecretStr | None = option(
        None, "A key that a server takes from its clients. They send it as PREFECT_API_KEY."
    )
    host: str = option(
        "127.0.0.1",
        "The address to listen on: one of this machine's own, unless credentials are asked for.",
    )
    port: int = option(4200, "The port to listen on; 0 is any that is free.")
    base_path: str | None = option(None, "What the paths of the API start with; `/api` unless given.")
    default_limit: int = option(
        200,
        "Objects in an answer, at most, where none is asked for (server, later).",
        "PREFECT_API_DEFAULT_LIMIT",
    )
    keepalive_timeout: int = option(5, "Seconds an idle connection is kept.")
    csrf_protection_enabled: bool = option(
        False,
        "Ask clients for a token with each change, against pages that have browsers send requests.",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED",
    )
    csrf_token_expiration: timedelta = option(
        timedelta(hours=1),
        "How long such a token is good.",
        "PREFECT_SERVER_CSRF_TOKEN_EXPIRATION",
    )
    cors_allowed_origins: str = option(
        "*",
        "Origins whose pages may call, with commas between them. `*` is all, but only those of this machine "
        "where no credentials are asked for.",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS",
    )
    cors_allowed_methods: str = option(
        "*", "Methods that such pages may use; `*` is all.", "PREFECT_SERVER_CORS_ALLOWED_METHODS"
    )
    cors_allowed_headers: str = option(
        "*", "Headers that such pages may send; `*` is all.", "PREFECT_SERVER_CORS_ALLOWED_HEADERS"
    )
    max_parameter_size: int = option(
        524_288, "Bytes of JSON that the parameters of a flow run may take, at most."
    )


class ServerConcurrencySettings(Section):
    """How slots of limits are leased."""

    lease_storage: str = option(
        "prefect.server.concurrency.lease_storage.memory",
        "Kept for code that reads it: leases are always kept in the database.",
    )
    initial_deployment_lease_duration: float = option(
        300.0,
        "Seconds for which a run of a deployment with a limit holds its slot, unless that is renewed.",
    )
    maximum_concurrency_slot_wait_seconds: float = option(
        30.0, "Seconds after which who waits for a slot is told to ask again, at most."
    )


class ServerEphemeralSettings(Section):
    """Running without a server."""

    enabled: bool = option(
        True,
        "Kept for code that reads it: without PREFECT_API_URL, the embedded store is always used.",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE",
    )
    startup_timeout_seconds: int = option(20, "Kept for code that reads it: nothing has to start.")


class ServerEventsSettings(Section):
    """Events."""

    stream_out_enabled: bool = option(
        True, "Tell subscribers of events.", "PREFECT_API_EVENTS_STREAM_OUT_ENABLED"
    )
    maximum_labels_per_resource: int = option(
        500, "Labels of a resource, at most.", "PREFECT_EVENTS_MAXIMUM_LABELS_PER_RESOURCE"
    )
    maximum_related_resources: int = option(
        100,
        "Related resources of an event, at most; never more than 100.",
        "PREFECT_EVENTS_MAXIMUM_RELATED_RESOURCES",
    )
    maximum_event_name_length: int = option(1024, "Characters of an event's name, at most.")
    maximum_websocket_backfill: timedelta = option(
        timedelta(minutes=15),
        "How far back subscribers are told what happened before they came.",
        "PREFECT_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL",
    )
    websocket_backfill_page_size: int = option(
        250,
        "How many of these events are read at once.",
        "PREFECT_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE",
    )
    retention_period: timedelta = option(
        timedelta(days=7), "How long events are kept (events, later).", "PREFECT_EVENTS_RETENTION_PERIOD"
    )
    keep_task_run_events: bool = option(
        True,
        "Keep the events that task runs are made from, for who lists or subscribes to events. Task runs are "
        "recorded either way.",
    )
    messaging_broker: str = option(
        "prefect.server.utilities.messaging.memory",
        "Kept for code that reads it: the database carries events.",
        "PREFECT_MESSAGING_BROKER",
    )
    messaging_cache: str = option(
        "prefect.server.utilities.messaging.memory",
        "Kept for code that reads it: the database drops doubles.",
        "PREFECT_MESSAGING_CACHE",
    )
    causal_ordering: str = option(
        "prefect.server.events.ordering.memory",
        "Kept for code that reads it: events say themselves what they follow.",
    )


class ServerLogsSettings(Section):
    """Logs of runs. Subscribers are told of them where both settings are on."""

    stream_out_enabled: bool = option(False, "Tell subscribers of log records.")
    stream_publishing_enabled: bool = option(False, "Have log records told.")


class ServerTasksSettings(Section):
    """Limits of tasks."""

    tag_concurrency_slot_wait_seconds: float = option(
        10.0,
        "Seconds before a task that found no free slot asks again.",
        "PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS",
    )
    max_cache_key_length: int = option(
        2000, "Characters of a cache key, at most (server, later).", "PREFECT_API_TASK_CACHE_KEY_MAX_LENGTH"
    )


class ServerUISettings(Section):
    """The pages of a server. All kept for the page (later)."""

    enabled: bool = option(True, "Serve the pages (page, later).", "PREFECT_UI_ENABLED")
    api_url: str | None = derived(
        _ui_api_url, "The API that the pages talk to (page, later).", "PREFECT_UI_API_URL"
    )
    serve_base: str = option(
        "/", "What the paths of the pages start with (page, later).", "PREFECT_UI_SERVE_BASE"
    )


class ServerSettings(Section):
    """What a server does, and the store that it, or a run without it, keeps."""

    logging_level: LogLevel = option(
        "WARNING", "The least level that the server logs.", "PREFECT_LOGGING_SERVER_LEVEL"
    )
    encryption_key: SecretStr | None = option(
        None, "The key that the values of blocks are encrypted with; none: one that the database keeps."
    )
    metrics_enabled: bool = option(
        False, "Serve figures for Prometheus at `/metrics`.", "PREFECT_API_ENABLE_METRICS"
    )
    api: ServerAPISettings = section(ServerAPISettings)
    concurrency: ServerConcurrencySettings = section(ServerConcurrencySettings)
    database: ServerDatabaseSettings = section(ServerDatabaseSettings)
    ephemeral: ServerEphemeralSettings = section(ServerEphemeralSettings)
    events: ServerEventsSettings = section(ServerEventsSettings)
    logs: ServerLogsSettings = section(ServerLogsSettings)
    services: ServerServicesSettings = section(ServerServicesSettings)
    tasks: ServerTasksSettings = section(ServerTasksSettings)
    ui: ServerUISettings = section(ServerUISettings)
