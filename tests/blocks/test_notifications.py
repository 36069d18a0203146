"""Blocks that send messages, from code."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from blocks.system_blocks import PLACE, said
from http_servers import Scripted, Told
from prefect.blocks import notifications
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.blocks.notifications import (
    AppriseNotificationBlock,
    CustomWebhookNotificationBlock,
    SlackWebhook,
)
from prefect.blocks.webhook import Webhook
from prefect.rules.messages import SERVICES


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


def test_a_message_is_sent_by_a_block_that_was_kept(server: Scripted) -> None:
    SlackWebhook(url=f"{server.url}/s3cret").save("alerts")

    slack = SlackWebhook.load("alerts")
    assert "s3cret" not in repr(slack)
    slack.notify("all is well")
    asyncio.run(slack.anotify("still", "So far"))

    async def within() -> None:
        await slack.notify("awaited")  # type: ignore[func-returns-value]

    asyncio.run(within())
    texts = [json.loads(each.body)["text"] for each in server.asked]
    assert texts == ["all is well", "*So far*\nstill", "awaited"]
    loaded = Block.load("slack-webhook/alerts")
    assert isinstance(loaded, NotificationBlock)


def test_what_is_not_sent_is_a_warning_or_an_error(
    server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("prefect").propagate = True
    server.tell(Told(403))
    slack = SlackWebhook(url=f"{server.url}/s3cret")

    slack.notify("b")
    assert "A message by Slack Webhook was not sent: The answer was 403 Forbidden." in caplog.text
    with slack.raise_on_failure(), pytest.raises(NotificationError, match="403 Forbidden"):
        slack.notify("b")
    custom = CustomWebhookNotificationBlock(name="n", url=server.url, json_data={"b": "{{body}}"})
    with pytest.raises(NotificationError, match="403 Forbidden"):
        custom.notify("b")
    assert "s3cret" not in caplog.text
    assert len(server.asked) == 3


def test_apprise_is_asked_for_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    block = AppriseNotificationBlock(url="mailto://user:pw@example.com")
    with block.raise_on_failure(), pytest.raises(NotificationError, match=r"proconsul\[notifications\]"):
        block.notify("b")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # which Apprise imports
def test_apprise_sends_what_it_knows_the_service_of(server: Scripted) -> None:
    address = server.url.removeprefix("http://")
    AppriseNotificationBlock(url=f"json://{address}/s3cret").notify("all is well", "So far")

    (asked,) = server.asked
    sent = json.loads(asked.body)
    assert (sent["title"], sent["message"]) == ("So far", "all is well")
    unknown = AppriseNotificationBlock(url="nobody://knows")
    with unknown.raise_on_failure(), pytest.raises(NotificationError, match="does not know"):
        unknown.notify("b")


def test_a_webhook_is_called(server: Scripted) -> None:
    server.tell(Told(500, {"said": "no"}, {"x-y": "z"}))
    webhook = Webhook(url=f"{server.url}/x", method="PUT", headers={"x-key": "s3cret"})
    webhook.save("hook")

    loaded = Webhook.load("hook")
    assert "s3cret" not in repr(loaded)
    answer = asyncio.run(loaded.call({"a": 1}))

    assert (answer.status_code, answer.json(), answer.headers["x-y"]) == (500, {"said": "no"}, "z")
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["x-key"]) == ("PUT", b'{"a": 1}', "s3cret")
    with pytest.raises(ValueError, match="a private one"):
        asyncio.run(Webhook(url=server.url, allow_private_urls=False).call())


def test_servers_send_by_the_same_types() -> None:
    found: dict[str, Any] = {
        each.get_block_type_slug(): each
        for name in notifications.__all__
        if isinstance(each := getattr(notifications, name), type)
    }
    assert set(found) == set(SERVICES)
    assert all(each.get_block_capabilities() == {"notify"} for each in found.values())


def test_servers_know_the_types_as_they_are() -> None:
    assert json.loads(PLACE.read_text(encoding="utf-8")) == said(), "run tests/blocks/system_blocks.py"
