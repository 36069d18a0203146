"""Sending the messages of automations: notifications by way of services, and calls of webhooks.

Several are sent at a time, each within its own time, by a service that has its thread to itself. One that may
go well later is put off in the store, so that it is tried again even if this process ends; so a message may
come twice, where an answer was lost, but is never forgotten unsaid: what failed in the end is told.
"""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from prefect.operations.automation_actions import Done, act, attempt, claim, conclude, postpone
from prefect.operations.automation_targets import Targets
from prefect.operations.block_documents import read_block_document
from prefect.operations.outgoing import CallFailed, deliver_once
from prefect.rules.messages import Outgoing, call_of_webhook, message_calls
from prefect.schemas.automations import CallWebhook, SendNotification
from prefect.schemas.triggered import TriggeredAction
from prefect.store.base import Store
from prefect.types import now

__all__ = ["send_messages"]

logger = logging.getLogger("prefect.server.automations")

AT_ONCE = 20
"""Messages that are sent at a time."""
MOST_ATTEMPTS = 6
PAUSES = (2, 8, 30, 120, 480)
"""Seconds before each further attempt, more or less: not all are to come back at the same time."""


class _Message(NamedTuple):
    """What an action has sent."""

    name: str
    """The block, for people."""
    calls: list[Outgoing]


def send_messages(store: Store, at: datetime) -> int:
    """Send what automations are to send.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many messages were sent, or failed.
    """
    done = 0
    while claimed := claim(store, at, messages=True, most=AT_ONCE):
        done += _send(store, claimed)
    return done


def _send(store: Store, claimed: list[TriggeredAction]) -> int:
    done = 0
    waiting: list[tuple[TriggeredAction, Targets, _Message]] = []
    for wanted in claimed:
        if not isinstance(wanted.action, SendNotification | CallWebhook):
            done += conclude(store, wanted, act(store, wanted))
            continue
        targets = Targets(store, wanted)
        found: list[_Message] = []
        # B023: it is called before the next turn of the loop.
        failure = attempt(wanted, lambda: found.append(_message_of(store, wanted, targets)))  # noqa: B023
        if failure is None:
            waiting.append((wanted, targets, found[0]))
        else:
            done += conclude(store, wanted, Done(failure, tuple(targets.named)))
    became = asyncio.run(_deliver_all([(wanted, message) for wanted, _, message in waiting]))
    for (wanted, targets, message), (delivered, failure_) in zip(waiting, became, strict=True):
        tried = msgspec.structs.replace(wanted, attempts=wanted.attempts + 1, delivered=delivered)
        if failure_ is not None and failure_.later and tried.attempts < MOST_ATTEMPTS:
            _again(store, tried, message, failure_)
            continue
        reason = None if failure_ is None else f"{message.name}: {failure_}"
        if reason is not None and tried.attempts > 1:
            reason += f" It was tried {tried.attempts} times."
        done += conclude(store, tried, Done(reason, tuple(targets.named)))
    return done


def _again(store: Store, tried: TriggeredAction, message: _Message, failure: CallFailed) -> None:
    pause = max(failure.after, PAUSES[tried.attempts - 1] * random.uniform(0.75, 1.25))
    postpone(store, tried, now() + timedelta(seconds=pause))
    logger.warning(
        "A message of the automation %r by %s was not delivered, and is sent again in %d seconds: %s",
        tried.automation_name,
        message.name,
        pause,
        failure,
    )


def _message_of(store: Store, wanted: TriggeredAction, targets: Targets) -> _Message:
    action = wanted.action
    assert isinstance(action, SendNotification | CallWebhook)
    document = read_block_document(store, action.block_document_id, include_secrets=True)
    targets.named.append(("block-document", document.id, "block"))
    slug = document.block_type.slug if document.block_type is not None else ""
    if isinstance(action, CallWebhook):
        calls = [call_of_webhook(document.data, targets.fill(action.payload))]
    else:
        subject, body = targets.fill(action.subject), targets.fill(action.body)
        calls = message_calls(slug, document.data, subject, body)
    return _Message(f"{slug}/{document.name}", calls)


async def _deliver_all(messages: list[tuple[TriggeredAction, _Message]]) -> list[Any]:
    return await asyncio.gather(*(_deliver(wanted, message) for wanted, message in messages))


async def _deliver(wanted: TriggeredAction, message: _Message) -> tuple[int, CallFailed | None]:
    """Send what is left of a message; return how much of it is delivered, and what failed."""
    delivered = wanted.delivered
    try:
        for each in message.calls[delivered:]:
            await deliver_once(each)
            delivered += 1
    except CallFailed as failure:
        return delivered, failure
    except Exception as error:  # noqa: BLE001 - the other messages are to be sent
        # What it says may have the address in it, so only its kind is told.
        return delivered, CallFailed(f"It could not be sent ({type(error).__name__}).", later=False)
    return delivered, None
