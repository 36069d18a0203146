"""Job variables: what pools offer, and what may be changed of a run's."""

from __future__ import annotations

from typing import Any

import pytest
from makers import make_flow_run, state
from test_deployments import deploy

from prefect.exceptions import ChangeRefused, ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations.deployment_runs import (
    create_flow_run_from_deployment,
    create_flow_runs_from_deployment,
)
from prefect.operations.deployments import read_deployment, update_deployment
from prefect.operations.flow_runs import read_flow_run, set_flow_run_state, update_flow_run
from prefect.operations.work_pools import create_work_pool, delete_work_pool, update_work_pool
from prefect.schemas.actions import FlowRunUpdate
from prefect.schemas.deployments import DeploymentFlowRunCreate, DeploymentUpdate
from prefect.schemas.work_pools import WorkPoolCreate, WorkPoolUpdate
from prefect.store.base import Store


def template(said: Any, **schema: Any) -> dict[str, Any]:
    variables = {"type": "object", "properties": {"a": said}, **schema}
    return {"job_configuration": {"a": "{{ a }}"}, "variables": variables}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (template({"type": "string", "default": 5}), "defaults: Validation failed for field 'a'"),
        (template({"type": "integer", "default": True}), "True is not of type 'integer'"),
        (template({"enum": ["x"], "default": "y"}), "'y' is not one of"),
        (template({"type": "string", "default": None}, required=["a"]), "None is not of type 'string'"),
        (
            template({"$ref": "#/definitions/N", "default": "z"}, definitions={"N": {"type": "integer"}}),
            "'z' is not of type 'integer'",
        ),
        (template({"type": "nonsense"}), "Invalid schema"),
    ],
    ids=["type", "truth", "choice", "null that is required", "reference", "schema"],
)
def test_a_pool_whose_own_defaults_do_not_fit_is_refused(
    store: Store, given: dict[str, Any], why: str
) -> None:
    with pytest.raises(RequestRefused, match=why):
        create_work_pool(store, WorkPoolCreate(name="pool", base_job_template=given))


@pytest.mark.parametrize(
    "given",
    [
        template({"type": "string", "default": "x"}),
        template({"type": "string", "default": None}),
        template({"type": "string"}, required=["a"]),
        template({"type": "object", "default": {"$ref": {"block_document_id": "…"}}}),
        template({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, required=["a"]),
        {},
    ],
    ids=["fits", "null", "none", "block", "null that may be", "no template"],
)
def test_a_pool_whose_defaults_fit_is_made(store: Store, given: dict[str, Any]) -> None:
    made = create_work_pool(store, WorkPoolCreate(name="pool", base_job_template=given))
    assert made.base_job_template == given


@pytest.mark.parametrize(
    "given",
    [
        {"job_configuration": {"a": 1}, "variables": {}},
        {"job_configuration": {}, "variables": {"properties": {"a": {}}}},
        {"job_configuration": {"a": 1}, "variables": [1]},
        {"job_configuration": None, "variables": None},
    ],
    ids=["no variables", "no configuration", "a list", "nothing"],
)
def test_a_template_has_both_of_its_parts(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must contain both"):
        WorkPoolCreate(name="pool", base_job_template=given)


def test_job_variables_change_until_the_job_is_made(store: Store) -> None:
    run = create_flow_run_from_deployment(store, deploy(store).id, DeploymentFlowRunCreate())
    update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": 1}))
    set_flow_run_state(store, run.id, state("PENDING"))

    with pytest.raises(ChangeRefused, match="a flow run in state PENDING cannot be updated"):
        update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": 2}, name="new"))

    read = read_flow_run(store, run.id)
    assert (read.job_variables, read.name) == ({"a": 1}, run.name)
    update_flow_run(store, run.id, FlowRunUpdate(job_variables=None, name="new"))
    assert read_flow_run(store, run.id).name == "new"


def test_a_run_of_no_deployment_has_no_job(store: Store) -> None:
    run = make_flow_run(store, state=state("SCHEDULED"))
    with pytest.raises(ChangeRefused, match="A deployment for the flow run could not be found"):
        update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": 1}))


NUMBER = template({"type": "integer"}, required=["a"])


def make_pool(store: Store, given: dict[str, Any] = NUMBER) -> str:
    create_work_pool(store, WorkPoolCreate(name="pool", base_job_template=given))
    return "pool"


def variables(**given: Any) -> DeploymentFlowRunCreate:
    return DeploymentFlowRunCreate(job_variables=given)


def test_a_deployment_whose_job_variables_do_not_fit_its_pool_is_not_made(store: Store) -> None:
    pool = make_pool(store)
    refused = "Error creating deployment: Validation failed for field 'a'. Failure reason: 'x' is not of type"
    with pytest.raises(RequestRefused, match=refused):
        deploy(store, work_pool_name=pool, job_variables={"a": "x"}, enforce_parameter_schema=False)
    with pytest.raises(ObjectNotFound, match="there"):
        deploy(store, work_pool_name="not there", job_variables={"a": "x"})
    assert deploy(store, job_variables={"a": "x"}).job_variables == {"a": "x"}  # of no pool
    # What is missing, runs may bring.
    assert deploy(store, work_pool_name=pool, job_variables={"b": "x"}).job_variables == {"b": "x"}


def test_job_variables_and_the_pool_they_are_given_with_fit(store: Store) -> None:
    pool, made = make_pool(store), deploy(store)
    with pytest.raises(ObjectAlreadyExists, match=r"Error updating deployment: .* field 'a'"):
        update_deployment(store, made.id, DeploymentUpdate(work_pool_name=pool, job_variables={"a": "x"}))
    assert read_deployment(store, made.id).work_pool_name is None

    # Each by itself is as it is with the interface: the runs tell.
    update_deployment(store, made.id, DeploymentUpdate(job_variables={"a": "x"}))
    update_deployment(store, made.id, DeploymentUpdate(work_pool_name=pool))
    with pytest.raises(RequestRefused, match="field 'a'"):
        create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate())


def test_a_run_has_the_job_variables_of_its_deployment_and_its_own(store: Store) -> None:
    made = deploy(store, work_pool_name=make_pool(store))
    with pytest.raises(RequestRefused, match=r"Error creating flow run: .* 'a' is a required property"):
        create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate())
    run = create_flow_run_from_deployment(store, made.id, variables(a=1))
    assert run.job_variables == {"a": 1}

    results = create_flow_runs_from_deployment(
        store, made.id, [variables(a="x"), variables(a=1), variables()]
    ).results
    assert [one.status for one in results] == ["FAILED", "CREATED", "FAILED"]
    assert "Error creating flow run: Validation failed for field 'a'" in str(results[0].error)

    update_deployment(store, made.id, DeploymentUpdate(job_variables={"a": 2}))
    assert create_flow_run_from_deployment(store, made.id, variables(b="x")).job_variables == {"b": "x"}
    with pytest.raises(RequestRefused, match="field 'a'"):
        create_flow_run_from_deployment(store, made.id, variables(a=None))


def test_changed_job_variables_of_a_run_fit_and_nothing_else_is_changed_where_they_do_not(
    store: Store,
) -> None:
    made = deploy(store, work_pool_name=make_pool(store), job_variables={"a": 1})
    run = create_flow_run_from_deployment(store, made.id, DeploymentFlowRunCreate())
    with pytest.raises(RequestRefused, match=r"Error updating flow run: .* field 'a'"):
        update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": "x"}, name="new"))
    assert read_flow_run(store, run.id).name == run.name
    update_flow_run(store, run.id, FlowRunUpdate(job_variables={"b": "x"}))

    # What the pool says by now, not what it said then.
    update_work_pool(store, "pool", WorkPoolUpdate(base_job_template=template({"type": "string"})))
    with pytest.raises(RequestRefused, match="field 'a'"):
        update_flow_run(store, run.id, FlowRunUpdate(job_variables={"b": "x"}))
    update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": "x"}))
    delete_work_pool(store, "pool")
    update_flow_run(store, run.id, FlowRunUpdate(job_variables={"a": 5}))
