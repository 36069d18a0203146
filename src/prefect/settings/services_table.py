"""The table of settings of what a server does unasked. Rows are as in `table`."""

from __future__ import annotations

from datetime import timedelta

from prefect.settings.options import Section, option, section

__all__ = ["ServerServicesSettings"]


class CancellationCleanupSettings(Section):
    """Ending runs that are being cancelled, and the runs within cancelled ones."""

    enabled: bool = option(
        True, "Have a server end what was cancelled.", "PREFECT_API_SERVICES_CANCELLATION_CLEANUP_ENABLED"
    )
    loop_seconds: float = option(
        20.0, "Seconds between two looks.", "PREFECT_API_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS"
    )
    cancelling_timeout_seconds: float = option(
        300.0, "Seconds after which a run that is being cancelled counts as cancelled."
    )


class DBVacuumSettings(Section):
    """Forgetting what is old."""

    enabled: bool | set[str] | None = option(
        {"events"}, "What to forget when it is old: `events`, `flow_runs`, or both; `true` is both."
    )
    loop_seconds: float = option(3600.0, "Seconds between two looks.")
    retention_period: timedelta = option(
        timedelta(days=90), "How long flow runs that have ended are kept, where they are forgotten at all."
    )
    batch_size: int = option(200, "Runs, or events, that are deleted at a time.")


class ForemanSettings(Section):
    """When workers, work queues and deployments count as there."""

    enabled: bool = option(
        True,
        "Have a server tell by events who is there no longer; what is ready is known at once.",
        "PREFECT_API_SERVICES_FOREMAN_ENABLED",
    )
    loop_seconds: float = option(
        15.0,
        "Seconds between two looks.",
        "PREFECT_API_SERVICES_FOREMAN_LOOP_SECONDS",
    )
    inactivity_heartbeat_multiple: int = option(
        3,
        "Heartbeats that a worker may miss.",
        "PREFECT_API_SERVICES_FOREMAN_INACTIVITY_HEARTBEAT_MULTIPLE",
    )
    fallback_heartbeat_interval_seconds: int = option(
        30,
        "Seconds between the heartbeats of a worker that does not say.",
        "PREFECT_API_SERVICES_FOREMAN_FALLBACK_HEARTBEAT_INTERVAL_SECONDS",
    )
    deployment_last_polled_timeout_seconds: int = option(
        60,
        "Seconds after which a deployment whose runs nobody asks for is not ready.",
        "PREFECT_API_SERVICES_FOREMAN_DEPLOYMENT_LAST_POLLED_TIMEOUT_SECONDS",
    )
    work_queue_last_polled_timeout_seconds: int = option(
        60,
        "Seconds after which a work queue whose runs nobody asks for is not ready.",
        "PREFECT_API_SERVICES_FOREMAN_WORK_QUEUE_LAST_POLLED_TIMEOUT_SECONDS",
    )


class LateRunsSettings(Section):
    """Marking runs that did not start in time."""

    enabled: bool = option(True, "Have a server mark late runs.", "PREFECT_API_SERVICES_LATE_RUNS_ENABLED")
    loop_seconds: float = option(
        5.0, "Seconds between two looks.", "PREFECT_API_SERVICES_LATE_RUNS_LOOP_SECONDS"
    )
    after_seconds: timedelta = option(
        timedelta(seconds=15),
        "How long after its time a run that has not started is late.",
        "PREFECT_API_SERVICES_LATE_RUNS_AFTER_SECONDS",
    )


class PauseExpirationsSettings(Section):
    """Ending paused runs that nobody resumed in time."""

    enabled: bool = option(
        True, "Have a server end such runs.", "PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_ENABLED"
    )
    loop_seconds: float = option(
        5.0, "Seconds between two looks.", "PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS"
    )


class RepossessorSettings(Section):
    """Taking back what processes held that are gone: slots of limits, and flow runs."""

    enabled: bool = option(True, "Have a server take such things back.")
    loop_seconds: float = option(15.0, "Seconds between two looks.")


class SchedulerSettings(Section):
    """Planning the runs of schedules."""

    enabled: bool = option(True, "Have a server plan runs.", "PREFECT_API_SERVICES_SCHEDULER_ENABLED")
    loop_seconds: float = option(
        60.0,
        "Seconds between two looks at all deployments.",
        "PREFECT_API_SERVICES_SCHEDULER_LOOP_SECONDS",
    )
    deployment_batch_size: int = option(
        100,
        "Deployments whose runs are planned in one transaction.",
        "PREFECT_API_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE",
    )
    max_runs: int = option(
        100, "Runs of a schedule to plan ahead, at most.", "PREFECT_API_SERVICES_SCHEDULER_MAX_RUNS"
    )
    min_runs: int = option(
        3, "Runs of a schedule to plan ahead, at least.", "PREFECT_API_SERVICES_SCHEDULER_MIN_RUNS"
    )
    max_scheduled_time: timedelta = option(
        timedelta(days=100),
        "How far ahead to plan, at most.",
        "PREFECT_API_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME",
    )
    min_scheduled_time: timedelta = option(
        timedelta(hours=1),
        "How far ahead to plan, at least.",
        "PREFECT_API_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME",
    )
    insert_batch_size: int = option(
        500,
        "Kept for code that reads it: the runs of a batch of deployments are written together.",
        "PREFECT_API_SERVICES_SCHEDULER_INSERT_BATCH_SIZE",
    )
    recent_deployments_loop_seconds: float = option(
        5.0, "Seconds between two looks at deployments that changed lately."
    )


class TriggersSettings(Section):
    """Carrying automations out."""

    enabled: bool = option(
        True, "Have a server carry automations out.", "PREFECT_API_SERVICES_TRIGGERS_ENABLED"
    )


class ServerServicesSettings(Section):
    """What a server does unasked."""

    cancellation_cleanup: CancellationCleanupSettings = section(CancellationCleanupSettings)
    db_vacuum: DBVacuumSettings = section(DBVacuumSettings)
    foreman: ForemanSettings = section(ForemanSettings)
    late_runs: LateRunsSettings = section(LateRunsSettings)
    pause_expirations: PauseExpirationsSettings = section(PauseExpirationsSettings)
    repossessor: RepossessorSettings = section(RepossessorSettings)
    scheduler: SchedulerSettings = section(SchedulerSettings)
    triggers: TriggersSettings = section(TriggersSettings)
