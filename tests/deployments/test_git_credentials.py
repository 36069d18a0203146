"""Git is told who it is where other users of the machine cannot see it."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from prefect.runner.storage import GitRepository


@pytest.fixture
def host():
    """Yield the address of a host that asks who one is, and what it was told."""
    told: list[str] = []

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            said = self.headers.get("Authorization")
            if said:
                told.append(said)
            self.send_response(404 if said else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="code"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_credentials_reach_the_host_and_are_no_arguments(tmp_path, host, monkeypatch):
    url, told = host
    commands = tmp_path / "bin"
    commands.mkdir()
    seen = tmp_path / "arguments"
    (commands / "git").write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        f"open({str(seen)!r}, 'a').write(repr(sys.argv))\n"
        f"os.execv({shutil.which('git')!r}, ['git', *sys.argv[1:]])\n"
    )
    (commands / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    storage = GitRepository(f"{url}/team/flows.git", credentials={"access_token": "s3cret/@:"})
    storage.set_base_path(tmp_path)

    with pytest.raises(RuntimeError, match="could not be got"):
        asyncio.run(storage.pull_code())

    assert set(told) == {"Basic " + base64.b64encode(b"x-access-token:s3cret/@:").decode()}
    assert "fetch" in seen.read_text()
    assert "s3cret" not in seen.read_text()
