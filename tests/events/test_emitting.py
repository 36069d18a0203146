"""Code tells what happened."""

from __future__ import annotations

import pytest

from prefect.client.current import get_caller
from prefect.events import Event, RelatedResource, Resource, emit_event
from prefect.operations.event_listings import read_events
from prefect.schemas.events import EventQuery
from prefect.testing.utilities import prefect_test_harness


def test_an_event_is_kept_when_it_was_told():
    with prefect_test_harness():
        first = emit_event("order.placed", {"prefect.resource.id": "order.1"})
        second = emit_event(
            "order.shipped",
            resource={"prefect.resource.id": "order.1", "prefect.resource.name": "Order 1"},
            related=[{"prefect.resource.id": "customer.4", "prefect.resource.role": "customer"}],
            payload={"parcels": 2},
            follows=first,
        )
        kept = get_caller().call(read_events, EventQuery()).events

    assert [each.event for each in kept] == ["order.shipped", "order.placed"]
    assert (kept[0].id, kept[0].follows, kept[0].payload) == (second.id, first.id, {"parcels": 2})
    assert (second.resource.id, second.resource.name) == ("order.1", "Order 1")
    assert second.related[0].role == "customer"


def test_a_resource_must_say_what_it_is():
    with pytest.raises(ValueError, match=r"prefect\.resource\.id"):
        emit_event("x", {})
    with pytest.raises(ValueError, match=r"prefect\.resource\.id"):
        Resource.model_validate({})


def test_resources_are_their_labels():
    related = RelatedResource.model_validate({"prefect.resource.id": "a", "prefect.resource.role": "b"})
    event = Event(event="x", resource={"prefect.resource.id": "r"}, related=[related])

    assert (related.id, related.role, related.name) == ("a", "b", None)
    assert event.resource["prefect.resource.id"] == event.resource.id == "r"
