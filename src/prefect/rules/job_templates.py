"""What jobs of each kind of work pool are made from, where a pool does not say.

A template has placeholders in its `job_configuration`, and describes in `variables` what may be put there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["DOCKER_TEMPLATE", "PROCESS_TEMPLATE", "WORKER_KINDS"]


def _variable(title: str, description: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"title": title, "description": description, "type": kind, **more}


def _texts(title: str, description: str) -> dict[str, Any]:
    return _variable(title, description, "object", additionalProperties={"type": "string"})


def _template(**variables: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_configuration": {name: f"{{{{ {name} }}}}" for name in variables},
        "variables": {"type": "object", "properties": variables},
    }


_COMMON: dict[str, dict[str, Any]] = {
    "name": _variable("Name", "What the job is called; left out, after its flow run."),
    "env": _texts("Environment Variables", "Environment variables of the job."),
    "labels": _texts("Labels", "Labels of the job."),
    "command": _variable("Command", "The command that runs the flow; left out, the worker's own."),
}
PROCESS_TEMPLATE: Mapping[str, Any] = _template(
    **_COMMON,
    stream_output=_variable(
        "Stream Output", "Whether the worker shows what the process prints.", "boolean", default=True
    ),
    capture_output=_variable(
        "Capture Output",
        "Whether what the process prints is kept in the run's logs; left out, as the worker's setting "
        "PREFECT_RUNNER_CAPTURE_OUTPUT says.",
        "boolean",
    ),
    working_dir=_variable(
        "Working Directory",
        "The directory that the process starts in; left out, a new one that is removed afterwards.",
        format="path",
    ),
)
"""For flow runs that are processes of the worker's machine."""
DOCKER_TEMPLATE: Mapping[str, Any] = _template(
    **_COMMON,
    image=_variable("Image", "The image that the container is made from."),
    image_pull_policy=_variable(
        "Image Pull Policy", "When the image is fetched.", enum=["IfNotPresent", "Always", "Never"]
    ),
    networks=_variable(
        "Networks", "The networks that the container joins.", "array", items={"type": "string"}, default=[]
    ),
    volumes=_variable(
        "Volumes",
        "What is mounted, as `local:path` or `local:path:mode`.",
        "array",
        items={"type": "string"},
        default=[],
    ),
    stream_output=_variable(
        "Stream Output", "Whether the worker shows what the container prints.", "boolean", default=True
    ),
    auto_remove=_variable(
        "Auto Remove", "Whether the container is removed when it has ended.", "boolean", default=False
    ),
    privileged=_variable("Privileged", "Whether the container is privileged.", "boolean", default=False),
    mem_limit=_variable("Memory Limit", "How much memory it may use, such as `512m`."),
    memswap_limit=_variable("Memory Swap Limit", "How much memory and swap it may use; `-1`: any."),
    network_mode=_variable("Network Mode", "How it is connected, such as `host` or `bridge`."),
    container_create_kwargs=_variable(
        "Container Configuration", "Further arguments with which the engine makes the container.", "object"
    ),
)
"""For flow runs that are containers of the worker's Docker."""


def _kind(
    type_: str, name: str, description: str, template: Mapping[str, Any], package: str
) -> dict[str, Any]:
    return {
        "type": type_,
        "display_name": name,
        "description": description,
        "default_base_job_configuration": template,
        "install_command": f"pip install {package}",
        "documentation_url": "",
        "logo_url": "",
        "is_beta": False,
    }


WORKER_KINDS: Mapping[str, Mapping[str, Any]] = {
    "prefect": {
        "process": _kind(
            "process",
            "Process",
            "Runs each flow run in a process of its own on the machine of the worker.",
            PROCESS_TEMPLATE,
            "proconsul",
        )
    },
    "prefect-docker": {
        "docker": _kind(
            "docker",
            "Docker",
            "Runs each flow run in a container of the Docker that the worker can reach.",
            DOCKER_TEMPLATE,
            "'proconsul[docker]'",
        )
    },
}
"""The kinds of workers, by the package that they come with and their type."""
