"""`prefect server`: serve what is kept to clients."""

from __future__ import annotations

from prefect.cli.commands import Group

__all__ = ["run"]

group = Group("server")
run = group.run


@group.command("start")
def start(
    *,
    host: str | None = None,
    port: int | None = None,
    no_services: bool = False,
    allow_unauthenticated: bool = False,
) -> None:
    """Serve the API on this machine until Ctrl-C.

    Args:
        host: The address to listen on. Others than those of this machine (127.0.0.1) need
            PREFECT_SERVER_API_AUTH_STRING.
        port: The port to listen on; 0 is any that is free.
        no_services: Accepted for the interface's sake; there are no services to leave out yet.
        allow_unauthenticated: Listen there without it, and be reached by any name, where only those reach the
            server who may change everything.
    """
    from prefect.server.run import serve

    serve(host, port, announce=_tell, allow_unauthenticated=allow_unauthenticated)


def _tell(url: str) -> None:
    print(f"Serving at {url}", flush=True)
    print(f"Clients of Prefect 3 find it by PREFECT_API_URL={url}", flush=True)
