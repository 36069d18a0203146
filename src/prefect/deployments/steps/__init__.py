"""The steps by which a deployment's code is got: they have the names that deployments know them by."""

from prefect.deployments.steps.core import StepExecutionError, run_step, run_steps
from prefect.deployments.steps.pull import git_clone, set_working_directory
from prefect.deployments.steps.utility import pip_install_requirements, run_shell_script

__all__ = [
    "StepExecutionError",
    "git_clone",
    "pip_install_requirements",
    "run_shell_script",
    "run_step",
    "run_steps",
    "set_working_directory",
]
