"""Triggers of deployments, under the path that existing code imports them from."""

from prefect.deployments.triggers import AnyTrigger as DeploymentTriggerTypes
from prefect.deployments.triggers import (
    DeploymentCompoundTrigger,
    DeploymentEventTrigger,
    DeploymentSequenceTrigger,
)

__all__ = [
    "DeploymentCompoundTrigger",
    "DeploymentEventTrigger",
    "DeploymentSequenceTrigger",
    "DeploymentTriggerTypes",
]
