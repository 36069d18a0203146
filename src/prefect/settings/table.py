"""The table of settings that concern writing and running flows. `server_table` holds those of a server.

A row is `name: type = option(default, help, *further environment variables)`. The environment variable is the
path in upper case: `tasks.runner.thread_pool_max_workers` is `PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS`.
Reading, writing, `prefect config` and the documentation are all made from these rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from prefect.settings.options import Section, derived, option, section
from prefect.settings.secret import SecretStr

__all__ = [
    "APISettings",
    "CLISettings",
    "ClientMetricsSettings",
    "ClientSettings",
    "CloudSettings",
    "DeploymentsSettings",
    "ExperimentsSettings",
    "FlowsSettings",
    "InternalSettings",
    "LogLevel",
    "LoggingSettings",
    "LoggingToAPISettings",
    "PluginsSettings",
    "ResultsSettings",
    "RunnerServerSettings",
    "RunnerSettings",
    "TasksRunnerSettings",
    "TasksSchedulingSettings",
    "TasksSettings",
    "TestingSettings",
    "WorkerSettings",
    "WorkerWebserverSettings",
]

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class APISettings(Section):
    """Where the API is, and how to be let in."""

    url: str | None = option(
        None, "The URL of the API: runs are recorded there. Without it, they are recorded on this machine."
    )
    auth_string: SecretStr | None = option(None, "`user:password` for a server with basic authentication.")
    key: SecretStr | None = option(None, "The API key to send with each request.")
    tls_insecure_skip_verify: bool = option(False, "Trust any certificate of the API.")
    ssl_cert_file: str | None = option(None, "Certificates to trust, in place of the system's.")
    enable_http2: bool = option(False, "Speak HTTP/2 with the API.")
    request_timeout: float = option(60.0, "Seconds to wait for an answer of the API.")


class CLISettings(Section):
    """How the command line looks."""

    colors: bool = option(True, "Let the command line use colours where the terminal has them.")
    prompt: bool | None = option(None, "Ask before deleting; by default where a person is at the terminal.")
    wrap_lines: bool = option(True, "Wrap long lines of tables to the terminal's width.")


class ClientMetricsSettings(Section):
    """What the client measures of itself."""

    enabled: bool = option(False, "Serve metrics of the client (later).", "PREFECT_CLIENT_ENABLE_METRICS")
    port: int = option(4201, "The port to serve metrics on (later).")


class ClientSettings(Section):
    """How the HTTP client behaves."""

    max_retries: int = option(5, "How often a request is sent again.")
    retry_jitter_factor: float = option(0.2, "How much the time between two attempts varies.")
    retry_extra_codes: set[int] = option(set(), "Further status codes to retry on.")
    csrf_support_enabled: bool = option(True, "Send the tokens that a protected server asks for.")
    custom_headers: dict[str, str] = option({}, "Headers to add to each request, as JSON.")
    server_version_check_enabled: bool = option(True, "Compare versions with the server (later).")
    metrics: ClientMetricsSettings = section(ClientMetricsSettings)


class CloudSettings(Section):
    """Addresses of a hosted service."""

    api_url: str = option(
        "https://api.prefect.cloud/api", "The API of Prefect Cloud. Kept for code that reads it."
    )
    ui_url: str | None = derived(
        lambda settings: settings.cloud.api_url.replace("https://api.", "https://app.").removesuffix("/api"),
        "The pages of Prefect Cloud. Kept for code that reads it.",
    )


class DeploymentsSettings(Section):
    """What deployments start from."""

    default_work_pool_name: str | None = option(
        None,
        "The work pool of deployments that name none.",
        "PREFECT_DEFAULT_WORK_POOL_NAME",
    )
    default_docker_build_namespace: str | None = option(
        None,
        "What the names of built images start with (deployments, later).",
        "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE",
    )


class ExperimentsSettings(Section):
    """Switches of features that may change."""

    warn: bool = option(
        True, "Warn when a feature that may change is used (later).", "PREFECT_EXPERIMENTAL_WARN"
    )


class FlowsSettings(Section):
    """What flows do unless they say otherwise."""

    heartbeat_frequency: int | None = option(
        180,
        "Seconds between two signs of life of a flow run, where a server records it.",
        "PREFECT_RUNNER_HEARTBEAT_FREQUENCY",
    )
    default_retries: int = option(0, "How often a failed flow is run again.", "PREFECT_FLOW_DEFAULT_RETRIES")
    default_retry_delay_seconds: int | float | list[float] = option(
        0, "Seconds before a failed flow is run again.", "PREFECT_FLOW_DEFAULT_RETRY_DELAY_SECONDS"
    )


class InternalSettings(Section):
    """For the developers of the library."""

    logging_level: LogLevel = derived(
        lambda settings: "DEBUG" if settings.debug_mode else "ERROR",
        "The level of what the library logs about itself (later).",
        "PREFECT_LOGGING_INTERNAL_LEVEL",
    )


class LoggingToAPISettings(Section):
    """How logs are recorded with their runs."""

    enabled: bool = option(True, "Record what is logged in runs.")
    batch_interval: float = option(
        2.0,
        "Seconds between two batches of logs to an API. Kept for code that sets it: it is half a second.",
    )
    batch_size: int = option(4_000_000, "Bytes of a batch of logs to an API, at most.")
    max_log_size: int = option(
        1_000_000, "Bytes of a line of logs, at most; the rest is cut off, with a mark."
    )
    when_missing_flow: Literal["warn", "error", "ignore"] = option(
        "warn", "What to do when something is logged to a run's logger where no run is."
    )


class LoggingSettings(Section):
    """What is logged, and how it looks."""

    level: LogLevel = derived(
        lambda settings: "DEBUG" if settings.debug_mode else "INFO", "The least level that is logged."
    )
    config_path: Path = derived(
        lambda settings: settings.home / "logging.yml",
        "A file that changes the logging configuration.",
        "PREFECT_LOGGING_SETTINGS_PATH",
    )
    extra_loggers: list[str] | None = option(None, "Loggers whose records are recorded with the run too.")
    log_prints: bool = option(False, "Log what flows and tasks print.")
    colors: bool = option(True, "Use colours on the console.")
    markup: bool = option(False, "Read `[bold]` and the like in logged texts as style.")
    to_api: LoggingToAPISettings = section(LoggingToAPISettings)


class PluginsSettings(Section):
    """Plugins that are loaded at start. All kept for plugins (later)."""

    enabled: bool = option(False, "Load plugins (later).", "PREFECT_EXPERIMENTS_PLUGINS_ENABLED")
    allow: set[str] | None = option(None, "Only these plugins (later).", "PREFECT_EXPERIMENTS_PLUGINS_ALLOW")
    deny: set[str] | None = option(None, "Not these plugins (later).", "PREFECT_EXPERIMENTS_PLUGINS_DENY")
    setup_timeout_seconds: float = option(
        20.0,
        "Seconds a plugin may take to start (later).",
        "PREFECT_EXPERIMENTS_PLUGINS_SETUP_TIMEOUT_SECONDS",
    )
    strict: bool = option(False, "Stop when a plugin fails (later).", "PREFECT_EXPERIMENTS_PLUGINS_STRICT")
    safe_mode: bool = option(
        False, "Load plugins, but do not call them (later).", "PREFECT_EXPERIMENTS_PLUGINS_SAFE_MODE"
    )


class ResultsSettings(Section):
    """Whether and where results are kept."""

    default_serializer: str = option(
        "auto", "How results are written: `auto` (JSON, else pickle), `json`, `pickle`, `compressed/…`."
    )
    allow_pickle: bool = option(True, "Results may be written and read as pickles; reading one runs code.")
    persist_by_default: bool = option(False, "Keep the results of flows and tasks that do not say.")
    default_storage_block: str | None = option(
        None, "The block that stores results (blocks, later).", "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK"
    )
    local_storage_path: Path = derived(
        lambda settings: settings.home / "storage",
        "The directory where results are kept.",
        "PREFECT_LOCAL_STORAGE_PATH",
    )


class RunnerServerSettings(Section):
    """The runner's own web server, which says whether it is at work."""

    enable: bool = option(False, "Answer `GET /health` while flows are served.")
    host: str = option("localhost", "The address that it listens on.")
    port: int = option(8080, "The port that it listens on.")
    log_level: LogLevel = option("ERROR", "Accepted: requests are not logged.")
    missed_polls_tolerance: int = option(
        2, "Looks for runs that may be missed before the runner counts as ill."
    )


class RunnerSettings(Section):
    """How `serve` runs deployments."""

    process_limit: int = option(5, "Runs that `serve` carries out at a time, at most.")
    poll_frequency: int = option(10, "Seconds between two looks of `serve` for runs on a server.")
    prestart: bool = option(
        True, "Keep a process ready that has loaded what runs need, so that theirs start within milliseconds."
    )
    capture_output: bool = option(
        False, "Keep in their logs what the processes of runs print, unless a job says otherwise."
    )
    server: RunnerServerSettings = section(RunnerServerSettings)


class TasksRunnerSettings(Section):
    """How submitted tasks are run."""

    thread_pool_max_workers: int | None = option(
        None,
        "Tasks that run in threads at a time, at most; 256 unless this is set.",
        "PREFECT_TASK_RUNNER_THREAD_POOL_MAX_WORKERS",
    )
    process_pool_max_workers: int | None = option(
        None, "Tasks that run in processes at a time, at most; one for each processor unless this is set."
    )


class TasksSchedulingSettings(Section):
    """How deferred tasks are kept. All kept for background tasks (later)."""

    default_storage_block: str | None = option(
        None,
        "Accepted: arguments of background tasks are kept where the results are.",
        "PREFECT_TASK_SCHEDULING_DEFAULT_STORAGE_BLOCK",
    )
    delete_failed_submissions: bool = option(
        True,
        "Kept for code that sets it: a background task whose arguments cannot be kept is never recorded.",
        "PREFECT_TASK_SCHEDULING_DELETE_FAILED_SUBMISSIONS",
    )


class TasksSettings(Section):
    """What tasks do unless they say otherwise."""

    refresh_cache: bool = option(False, "Run tasks even where a cached result is there, and replace it.")
    default_no_cache: bool = option(False, "Tasks that name no cache policy do not cache.")
    disable_caching: bool = option(False, "No task caches, whatever its policy.")
    default_retries: int = option(0, "How often a failed task is run again.", "PREFECT_TASK_DEFAULT_RETRIES")
    default_retry_delay_seconds: int | float | list[float] | None = option(
        0, "Seconds before a failed task is run again.", "PREFECT_TASK_DEFAULT_RETRY_DELAY_SECONDS"
    )
    default_persist_result: bool | None = option(None, "Keep the results of tasks that do not say.")
    runner: TasksRunnerSettings = section(TasksRunnerSettings)
    scheduling: TasksSchedulingSettings = section(TasksSchedulingSettings)


class TestingSettings(Section):
    """For tests."""

    __test__ = False  # it is no test, whatever pytest makes of the name

    test_mode: bool = option(False, "Tests are running. Kept for code that reads it.", "PREFECT_TEST_MODE")
    unit_test_mode: bool = option(
        False, "Unit tests are running. Kept for code that reads it.", "PREFECT_UNIT_TEST_MODE"
    )
    test_setting: Any = option("FOO", "Does nothing. Kept for tests of settings.", "PREFECT_TEST_SETTING")


class WorkerWebserverSettings(Section):
    """A worker's own web server, which `prefect worker start --with-healthcheck` starts."""

    host: str = option("0.0.0.0", "The address that it listens on.")
    port: int = option(8080, "The port that it listens on.")


class WorkerSettings(Section):
    """How workers look for runs."""

    debug_mode: bool = option(False, "Accepted: workers log as PREFECT_LOGGING_LEVEL says.")
    heartbeat_seconds: float = option(30.0, "Seconds between two signs of life of a worker.")
    query_seconds: float = option(10.0, "Seconds between two looks of a worker for runs on a server.")
    prefetch_seconds: float = option(10.0, "Seconds ahead of its time that a worker starts a run.")
    webserver: WorkerWebserverSettings = section(WorkerWebserverSettings)
