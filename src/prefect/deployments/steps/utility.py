"""Steps that run commands of this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from prefect.logging.loggers import get_logger
from prefect.settings.runtime_variables import environment_with

__all__ = ["pip_install_requirements", "run_shell_script"]

_SHELL = ("cmd", "/c") if sys.platform == "win32" else ("/bin/sh", "-ec")


def run_shell_script(
    script: str,
    directory: str | None = None,
    env: Mapping[str, str] | None = None,
    stream_output: bool = True,
    expand_env_vars: bool = False,
    shell: bool = False,
) -> dict[str, str]:
    """Run commands, a line each; the first that fails ends the step.

    Unless `shell` says so, no shell reads them: a line is a command and its words, quoted as for a shell.

    Args:
        script: The commands.
        directory: Where they are run.
        env: Variables that they get beside those of this process.
        stream_output: Whether what they print is logged.
        expand_env_vars: Whether `$NAME` in a line stands for a variable.
        shell: Whether the shell of this machine reads the whole text, as one script.

    Returns:
        What they printed, as `stdout` and `stderr`.

    Raises:
        RuntimeError: A command failed, or is not there.
    """
    variables = environment_with(env or {})
    outputs: dict[str, list[str]] = {"stdout": [], "stderr": []}
    for line in [script.strip()] if shell else script.strip().splitlines():
        words = [*_SHELL, line] if shell else shlex.split(line, comments=True, posix=sys.platform != "win32")
        if expand_env_vars and not shell:
            words = [_expanded(word, variables) for word in words]
        if words:
            done = _run(words, directory, variables)
            outputs["stdout"].append(done.stdout.strip())
            outputs["stderr"].append(done.stderr.strip())
            if stream_output and done.stdout.strip():
                get_logger("deployments").info("%s", done.stdout.strip())
            if done.returncode:
                raise RuntimeError(f"{line.strip()!r} ended with {done.returncode}: {done.stderr.strip()}")
    return {name: "\n".join(filter(None, texts)) for name, texts in outputs.items()}


def pip_install_requirements(
    directory: str | None = None, requirements_file: str = "requirements.txt", stream_output: bool = True
) -> dict[str, str]:
    """Install what a file of requirements names, for the Python that runs the flow.

    Args:
        directory: Where the file is; None: where we are.
        requirements_file: The file.
        stream_output: Whether what pip prints is logged.

    Returns:
        What pip printed, as `stdout` and `stderr`.

    Raises:
        FileNotFoundError: There is no such file.
        RuntimeError: Pip failed.
    """
    path = Path(directory or ".") / requirements_file
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r} of requirements.")
    command = shlex.join([sys.executable, "-m", "pip", "install", "--requirement", str(path.resolve())])
    return run_shell_script(command, directory, stream_output=stream_output)


def _expanded(word: str, variables: Mapping[str, str]) -> str:
    return Template(word).safe_substitute(variables)


def _run(
    words: list[str], directory: str | None, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            cwd=directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        # It is raised for the folder too, and may name either.
        if directory is not None and not Path(directory).is_dir():
            raise RuntimeError(f"There is no folder {directory!r}.") from error
        raise RuntimeError(f"There is no command {words[0]!r}.") from error
