"""The files of examples/fleet name commands, settings and probes that there are, and write down no secret."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from prefect.cli import GROUPS
from prefect.server.gate import OPEN
from prefect.settings.index import OPTIONS

FLEET = Path(__file__).parents[2] / "examples" / "fleet"
COMPOSE = yaml.safe_load((FLEET / "compose.yaml").read_text())["services"]
MANIFESTS = list(yaml.safe_load_all((FLEET / "kubernetes.yaml").read_text()))
NAMES = {name for row in OPTIONS.values() for name in row.names}
SECRETS = re.compile("AUTH_STRING|PASSWORD|KEY|CONNECTION_URL")


def kind(name: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == name}


def pods() -> dict[str, Any]:
    return {name: one["spec"]["template"]["spec"] for name, one in kind("Deployment").items()}


def container(name: str) -> Any:
    (found,) = pods()[name]["containers"]
    return found


COMMANDS = [each["command"] for each in COMPOSE.values() if "command" in each]
COMMANDS += [container(name)["args"] for name in pods()]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_are_ones_that_there_are(words):
    program, group, *rest = words
    if program == "dask":
        module = pytest.importorskip(f"distributed.cli.dask_{group}")
        module.main.make_context(group, list(rest))
        return
    assert (program, group in GROUPS) == ("prefect", True)
    parsed = vars(import_module(f"prefect.cli.{group}").run.__self__.parser().parse_args(rest))
    assert parsed["_function"]


def test_variables_are_settings():
    given = {name for one in COMPOSE.values() for name in one.get("environment", ())}
    given |= {each["name"] for name in pods() for each in container(name).get("env", ())}
    given |= set(re.findall(r"\bPREFECT_\w+", (FLEET / "Dockerfile").read_text()))

    assert {name for name in given if name.startswith("PREFECT_")} - NAMES == set()


def test_secrets_come_from_elsewhere():
    for one in COMPOSE.values():
        for name, value in one.get("environment", {}).items():
            assert not SECRETS.search(name) or "${" in value, name
    keys = {key for one in kind("Secret").values() for key in one["stringData"]}
    for name in pods():
        for each in container(name).get("env", ()):
            if SECRETS.search(each["name"]):
                assert each["valueFrom"]["secretKeyRef"]["key"] in keys


def test_images_are_pinned_and_say_where_ones_own_goes():
    for file in ("compose.yaml", "kubernetes.yaml"):
        lines = [line for line in (FLEET / file).read_text().splitlines() if " image: " in line]
        assert lines
        for line in lines:
            assert re.search(r"image: [\w./-]+:[\w.-]*\d[\w.-]*  # \w", line), line
    (base,) = re.findall(r"^FROM (.*)$", (FLEET / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-[\w-]+", base)


def test_pods_have_no_more_rights_than_they_need():
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["enableServiceLinks"] is False
        assert pod["terminationGracePeriodSeconds"] >= 30
        assert container(name)["securityContext"]["readOnlyRootFilesystem"] is True
        assert container(name)["resources"]["limits"]["memory"]
    assert re.search(r"^USER 10001$", (FLEET / "Dockerfile").read_text(), re.MULTILINE)


def test_probes_ask_what_the_server_answers_without_a_password():
    server = container("server")
    asked = {server[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    assert asked == {f"/api{path}" for path in OPEN}
    assert server["readinessProbe"]["httpGet"]["path"] == "/api/ready"
    assert "/api/ready" in COMPOSE["server"]["healthcheck"]["test"][-1]


def test_services_lead_to_pods():
    for name, one in kind("Service").items():
        (port,) = one["spec"]["ports"]
        assert one["spec"]["selector"] == kind("Deployment")[name]["spec"]["selector"]["matchLabels"]
        assert {"containerPort": port["targetPort"]} in container(name)["ports"]
    for one in kind("Deployment").values():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_addresses_are_those_of_services():
    text = (FLEET / "compose.yaml").read_text() + (FLEET / "kubernetes.yaml").read_text()
    named = set(re.findall(r"(?:http|tcp)://([a-z-]+):(\d+)", text))
    assert named == {("server", "4200"), ("dask-scheduler", "8786")}
    assert {name for name, _ in named} <= kind("Service").keys() & COMPOSE.keys()


def test_the_flow_of_the_fleet_runs_without_one(run_python):
    done = run_python(FLEET / "flows" / "weighing.py")

    assert "all together: 2470" in done.stdout + done.stderr
