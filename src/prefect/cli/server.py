"""`prefect server`: serve what is kept to clients, and look after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from prefect.cli.commands import Flag, Group
from prefect.cli.output import Format, confirm, print_json, print_table
from prefect.exceptions import ConfigurationError

if TYPE_CHECKING:
    from prefect.store.base import Store

__all__ = ["run"]

group = Group("server")
run = group.run
database = group.group("database", "See to the database.")

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Yes = Annotated[bool, Flag("-y")]


@group.command("start")
def start(  # noqa: PLR0913 - each is an option of the command
    *,
    host: str | None = None,
    port: int | None = None,
    background: Annotated[bool, Flag("-b")] = False,
    workers: int = 1,
    keep_alive_timeout: int | None = None,
    log_level: Level | None = None,
    no_services: bool = False,
    no_scheduler: Annotated[bool, Flag(off="--scheduler")] = False,
    no_late_runs: Annotated[bool, Flag(off="--late-runs")] = False,
    no_ui: Annotated[bool, Flag(off="--ui")] = False,
    analytics_off: Annotated[bool, Flag(off="--analytics-on")] = False,
    allow_unauthenticated: bool = False,
) -> None:
    """Serve the API on this machine until Ctrl-C.

    Args:
        host: The address to listen on. Others than those of this machine (127.0.0.1) need
            PREFECT_SERVER_API_AUTH_STRING.
        port: The port to listen on; 0 is any that is free.
        background: Return when the server answers, and leave it running; `prefect server stop` ends it.
        workers: How many processes serve. More than one need PostgreSQL.
        keep_alive_timeout: Seconds that an idle connection is kept.
        log_level: The least level that the server logs.
        no_services: Only answer: plan no runs, end nothing that is overdue, carry no automations out. Another
            server of the same database has to.
        no_scheduler: Plan no runs.
        no_late_runs: Leave runs that are not started in time Scheduled.
        no_ui: Changes nothing: there is no page.
        analytics_off: Changes nothing: nothing is told to anybody.
        allow_unauthenticated: Listen there without it, and be reached by any name, where only those reach the
            server who may change everything.
    """
    from prefect.server.run import Serving, listen, serve
    from prefect.settings import temporary_settings

    listener, url = listen(host, port, allow_unauthenticated=allow_unauthenticated)
    with listener, temporary_settings(_without(scheduler=no_scheduler, late_runs=no_late_runs)):
        serving = Serving(
            listener,
            url,
            workers,
            keep_alive_timeout,
            log_level,
            checks_hosts=not allow_unauthenticated,
            services=not no_services,
        )
        if not background:
            serve(serving, lambda: _tell(url))
            return
        from prefect.server.background import detach
        from prefect.settings import get_current_settings

        running = detach(get_current_settings().home, serving)
        _tell(url)
        print(f"It is process {running.pid}. `prefect server stop` ends it.")


def _without(**services: bool) -> dict[Any, bool]:
    off = (name.upper() for name, is_off in services.items() if is_off)
    return dict.fromkeys((f"PREFECT_SERVER_SERVICES_{name}_ENABLED" for name in off), False)


def _tell(url: str) -> None:
    print(f"Serving at {url}", flush=True)
    print(f"Clients of Prefect 3 find it by PREFECT_API_URL={url}", flush=True)


@group.command("stop")
def stop() -> None:
    """Stop the server that runs in the background."""
    from prefect.server.background import stop_background
    from prefect.settings import get_current_settings

    stopped = stop_background(get_current_settings().home)
    print(f"Stopped the server at {stopped.url}." if stopped else "No server runs in the background.")


@group.command("status")
def status(
    *,
    wait: bool = False,
    timeout: Annotated[int, Flag("-t")] = 0,
    output: Annotated[Format | None, Flag("-o")] = None,
) -> None:
    """Say whether the server answers; the exit code is 1 if it does not.

    Args:
        wait: Wait until it does.
        timeout: Seconds to wait, at most; 0 is without end.
        output: Print for programs.
    """
    from prefect.server.background import find_background, is_healthy, wait_until_healthy
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    background = find_background(settings.home)
    url = settings.api.url or (background.url if background else None)
    if url is None:
        raise ConfigurationError(
            "Which server? None runs in the background here; set PREFECT_API_URL to the address of another."
        )
    answers = wait_until_healthy(url, timeout or None) if wait else is_healthy(url)
    if output:
        said = "available" if answers else "unavailable"
        print_json({"status": said, "api_url": url, "pid": background.pid if background else None})
    else:
        where = f" It runs in the background, as process {background.pid}." if background else ""
        print(f"The server at {url} {'answers' if answers else 'does not answer'}.{where}")
    if not answers:
        raise SystemExit(1)


@database.command("upgrade")
def upgrade(
    *, yes: Yes = False, revision: Annotated[str, Flag("-r")] = "head", dry_run: bool = False
) -> None:
    """Bring the database to a later version of the schema, as opening it does.

    Args:
        yes: Do not ask.
        revision: The version.
        dry_run: Only list the versions between.
    """
    from prefect.store import open_store
    from prefect.store.administration import ahead, upgrade

    store = open_store()
    if dry_run:
        between = ahead(store, revision)
        print("\n".join(f"{each.name}  {each.summary}" for each in between) or "There is nothing to do.")
        return
    confirm(f"Upgrade {store!r}?", yes=yes)
    upgrade(store, revision)
    _tell_version(store)


@database.command("downgrade")
def downgrade(*, yes: Yes = False, revision: Annotated[str, Flag("-r")] = "-1") -> None:
    """Bring the database back to an earlier version; what only later ones keep is lost.

    Args:
        yes: Do not ask. Needed where there is no terminal.
        revision: The version, or -1 for the one before.
    """
    from prefect.store import open_store
    from prefect.store.administration import downgrade

    store = open_store()
    confirm(f"Downgrade {store!r}, and lose what only later versions keep?", yes=yes, must=True)
    downgrade(store, revision)
    _tell_version(store)


@database.command("reset")
def reset(*, yes: Yes = False) -> None:
    """Delete everything that the database keeps.

    Args:
        yes: Do not ask. Needed where there is no terminal.
    """
    from prefect.store import open_store
    from prefect.store.administration import reset

    store = open_store()
    confirm(f"Delete all flows, runs, logs and whatever else is in {store!r}?", yes=yes, must=True)
    reset(store)
    print(f"{store!r} is empty.")


@database.command("stamp")
def stamp(revision: str) -> None:
    """Note that the database is at a version, and change nothing else.

    Args:
        revision: The version.
    """
    from prefect.store import open_store
    from prefect.store.administration import stamp

    store = open_store()
    stamp(store, revision)
    _tell_version(store)


@database.command("history")
def history() -> None:
    """List the versions of the schema."""
    from prefect.store import open_store
    from prefect.store.administration import revisions, version_of

    found = version_of(open_store())
    rows = [[each.name, "*" if each.name == found else "", each.summary] for each in revisions()]
    print_table("Versions", ["Version", "Here", "What it brought"], rows)


def _tell_version(store: Store) -> None:
    from prefect.store.administration import version_of

    found = version_of(store)
    print(f"{store!r} {'has no tables' if found is None else f'is at version {found}'}.")
