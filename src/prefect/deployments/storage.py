"""Where the code of deployed flows comes from."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote, urlsplit, urlunsplit

from prefect.settings.runtime_variables import environment_with

__all__ = ["GitRepository", "LocalStorage", "RunnerStorage", "create_storage_from_source"]

_GIT_SECONDS = 600


@runtime_checkable
class RunnerStorage(Protocol):
    """What code comes from. Those who write their own have these members."""

    @property
    def pull_interval(self) -> int | None:
        """Seconds from one look for new code to the next; None: it is got once."""

    @property
    def destination(self) -> Path:
        """The folder on this machine where the code is, once it was got."""

    def set_base_path(self, path: Path) -> None:
        """Say below which folder the code is put."""

    async def pull_code(self) -> None:
        """Get the code, or what is new in it."""

    def to_pull_step(self) -> dict[str, Any]:
        """Return the step by which workers get the code."""


class LocalStorage:
    """A folder of this machine, whose code is run where it is.

    Args:
        path: The folder.
        pull_interval: Accepted for the interface's sake: there is nothing to get.
    """

    def __init__(self, path: str | Path, pull_interval: int | None = None) -> None:
        self._path = Path(path).expanduser().resolve()
        self.pull_interval = pull_interval

    @property
    def destination(self) -> Path:
        """The folder."""
        return self._path

    def set_base_path(self, path: Path) -> None:
        """Do nothing: the code stays where it is."""

    async def pull_code(self) -> None:
        """Make sure that the folder is there.

        Raises:
            FileNotFoundError: It is not.
        """
        if not self._path.is_dir():
            raise FileNotFoundError(f"There is no folder {str(self._path)!r} to take the flow's code from.")

    def to_pull_step(self) -> dict[str, Any]:
        """Return the step by which workers of this machine get to the code."""
        return {"prefect.deployments.steps.set_working_directory": {"directory": str(self._path)}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalStorage) and other._path == self._path

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"LocalStorage(path={str(self._path)!r})"


class GitRepository:
    """A git repository, of which one commit is got.

    Args:
        url: Its URL.
        credentials: `username`, and `access_token` or `password`, for a repository on HTTPS.
        name: The folder that the code is put in; None: the repository's name, and the branch.
        branch: The branch, or tag; None: the repository's default.
        commit_sha: A commit, in place of a branch.
        include_submodules: Whether to get its submodules too.
        pull_interval: Seconds from one look for new commits to the next; None: it is got once.
        directories: The folders of it to get; None: all.

    Raises:
        ValueError: A branch and a commit are given, or one of the arguments would be an option of git, or the
            code would be put elsewhere than below the folder meant for it.
    """

    def __init__(
        self,
        url: str,
        credentials: Mapping[str, Any] | None = None,
        name: str | None = None,
        branch: str | None = None,
        commit_sha: str | None = None,
        include_submodules: bool = False,
        pull_interval: int | None = 60,
        directories: Sequence[str] | None = None,
    ) -> None:
        if branch and commit_sha:
            raise ValueError("A repository is got by a branch or by a commit_sha, not by both.")
        _refuse_options(url=url, branch=branch, commit_sha=commit_sha)
        for each in directories or ():
            _refuse_options(directory=each)
        self._url = url
        self._credentials = dict(credentials or {})
        self._branch = branch
        self._commit = commit_sha
        self._submodules = include_submodules
        self._directories = list(directories or ())
        self.pull_interval = pull_interval
        stem = url.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
        self._name = name or (f"{stem}-{branch}".replace("/", "-") if branch else stem)
        if Path(self._name).is_absolute() or set(Path(self._name).parts) in (set(), {"."}):
            raise ValueError(f"{self._name!r} is no name of a folder for the code: give one.")
        if ".." in Path(self._name).parts or not self._name.isprintable():
            raise ValueError(f"{self._name!r} is no name of a folder below the one for code: give another.")
        self._base = Path.cwd()

    @property
    def destination(self) -> Path:
        """The folder where the code is, once it was got."""
        return self._base / self._name

    def set_base_path(self, path: Path) -> None:
        """Say below which folder the code is put."""
        self._base = path

    async def pull_code(self) -> None:
        """Get the commit, or the newest one of the branch.

        Raises:
            RuntimeError: Git says that it cannot.
        """
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        await asyncio.to_thread(self._get)

    def _get(self) -> None:
        place = self.destination
        if not (place / ".git").is_dir():
            place.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet")
        if self._directories:
            self._git("sparse-checkout", "set", "--cone", "--", *self._directories)
        wanted = self._commit or self._branch or "HEAD"
        self._git("fetch", "--quiet", "--depth", "1", "--no-tags", "--", self._url, wanted)
        self._git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD", "--")
        if self._submodules:
            self._git("submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1")

    def _git(self, *arguments: str) -> None:
        command = ["git", "-c", "protocol.ext.allow=never", "-c", "credential.interactive=never", *arguments]
        # It asks nothing at the terminal, where nobody sits.
        try:
            done = subprocess.run(
                command,
                cwd=self.destination,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                env=environment_with({**self._credentials_of_git(), "GIT_TERMINAL_PROMPT": "0"}),
                timeout=_GIT_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise RuntimeError("There is no git on this machine, which gets the flow's code.") from error
        if done.returncode:
            said = self._without_secrets(done.stderr.strip() or f"exit code {done.returncode}")
            raise RuntimeError(f"The code could not be got from {_without_user(self._url)!r}: {said}")

    def _secret(self) -> str | None:
        # Blocks of git hosts call it a token.
        named = (self._credentials.get(name) for name in ("access_token", "token", "password"))
        secret = next(filter(None, named), None)
        plain = getattr(secret, "get_secret_value", None) or getattr(secret, "get", None)
        return None if secret is None else str(plain() if plain is not None else secret)

    def _credentials_of_git(self) -> dict[str, str]:
        """Return what tells git who it is: its arguments would be seen by all users of the machine."""
        secret, parts = self._secret(), urlsplit(self._url)
        if secret is None or parts.scheme not in ("https", "http"):
            return {}
        user = self._credentials.get("username") or "x-access-token"
        netloc = f"{quote(str(user), safe='')}:{quote(secret, safe='')}@{parts.netloc.rpartition('@')[2]}"
        address = urlunsplit(parts._replace(netloc=netloc))
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{address}.insteadOf",
            "GIT_CONFIG_VALUE_0": self._url,
        }

    def _without_secrets(self, text: str) -> str:
        text, secret = text.replace(self._url, _without_user(self._url)), self._secret()
        return text if not secret else text.replace(quote(secret, safe=""), "***").replace(secret, "***")

    def to_pull_step(self) -> dict[str, Any]:
        """Return the step by which workers get the code.

        Raises:
            ValueError: It has credentials, which a deployment would show to everybody.
        """
        if self._credentials:
            raise ValueError(
                "A deployment would show the credentials of its repository to everybody. Have git find them "
                "on the workers' machines (a credential helper, or an SSH key) and leave them out here."
            )
        step: dict[str, Any] = {"repository": self._url}
        if self._branch:
            step["branch"] = self._branch
        if self._commit:
            step["commit_sha"] = self._commit
        if self._submodules:
            step["include_submodules"] = True
        if self._directories:
            step["directories"] = self._directories
        return {"prefect.deployments.steps.git_clone": step}

    def __repr__(self) -> str:
        return f"GitRepository(url={self._url!r}, branch={self._branch!r}, commit_sha={self._commit!r})"


def _without_user(url: str) -> str:
    """Return an address without what names its user, which may well be a token."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    # Who comes by SSH has a name that is no secret.
    if not at or (parts.scheme not in ("http", "https") and ":" not in user):
        return url
    return urlunsplit(parts._replace(netloc=f"***@{host}"))


def _refuse_options(**arguments: str | None) -> None:
    """Refuse what git would take for an option or a program: some of its options run commands."""
    for what, value in arguments.items():
        if value is None:
            continue
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{what}={value!r} is none: it must be a text.")
        if value.startswith("-") or not value.isprintable():
            raise ValueError(f"{what}={value!r} is none: it must not begin with a dash, and needs one line.")
        if what == "url" and "::" in value.partition("/")[0]:
            raise ValueError(f"url={value!r} names a helper program of git, which is not run here.")


def create_storage_from_source(source: str | Path, pull_interval: int | None = 60) -> RunnerStorage:
    """Return the storage that a path or URL means.

    Args:
        source: A folder, or the URL of a git repository.
        pull_interval: See `GitRepository`.

    Raises:
        ValueError: It is neither.
    """
    text = str(source)
    if isinstance(source, str) and (
        text.startswith(("git@", "ssh://", "git://")) or text.startswith(("https://", "http://", "file://"))
    ):
        return GitRepository(text, pull_interval=pull_interval)
    if "://" in text:
        raise ValueError(
            f"{text!r} is no place that code can be taken from: give a folder, the URL of a git repository, "
            "or an object with the members of RunnerStorage."
        )
    return LocalStorage(source, pull_interval)
