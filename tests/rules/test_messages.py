"""What services are sent: what their documentation asks for."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs

import pytest

from prefect.exceptions import ConfigurationError
from prefect.rules.messages import SERVICES, call_of_webhook, message_calls

LOGIN = b64encode(b"AC1:pw").decode()
CARD = {
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [
        {"type": "TextBlock", "text": "s", "weight": "bolder", "wrap": False},
        {"type": "TextBlock", "text": "b", "wrap": False},
    ],
}
SENT: dict[str, tuple[dict[str, Any], str, str | None, Any]] = {
    "slack-webhook": ({"url": "https://s/x"}, "https://s/x", None, {"text": "*s*\nb"}),
    "ms-teams-webhook": (
        {"url": "https://t/x", "wrap": False},
        "https://t/x",
        None,
        {
            "type": "message",
            "attachments": [
                {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD},
            ],
        },
    ),
    "discord-webhook": (
        {"webhook_id": "1", "webhook_token": "t/", "botname": "bot"},
        "https://discord.com/api/webhooks/1/t/",
        None,
        {"content": "**s**\nb", "tts": False, "username": "bot"},
    ),
    "mattermost-webhook": (
        {"hostname": "m", "token": "t", "secure": True, "path": "/chat/", "channels": ["#a"]},
        "https://m:8065/chat/hooks/t",
        None,
        {"text": "s\nb", "channel": "a"},
    ),
    "pager-duty-webhook": (
        {"integration_key": "i", "api_key": "k", "notify_type": "failure", "region_name": "eu"},
        "https://events.eu.pagerduty.com/v2/enqueue",
        "Token token=k",
        {
            "routing_key": "i",
            "event_action": "trigger",
            "payload": {
                "summary": "s: b",
                "severity": "critical",
                "source": "Prefect",
                "component": "Notification",
                "custom_details": {"body": "b"},
            },
        },
    ),
    "opsgenie-webhook": (
        {"apikey": "k", "target_team": ["ops"], "target_user": ["me"], "priority": 5, "tags": ["x"]},
        "https://api.opsgenie.com/v2/alerts",
        "GenieKey k",
        {
            "message": "s",
            "description": "b",
            "priority": "P1",
            "tags": ["x"],
            "responders": [{"type": "user", "username": "me"}, {"type": "team", "name": "ops"}],
        },
    ),
    "sendgrid-email": (
        {"api_key": "k", "sender_email": "me@x.org", "to_emails": ["a@x.org", "b@x.org"]},
        "https://api.sendgrid.com/v3/mail/send",
        "Bearer k",
        {
            "personalizations": [{"to": [{"email": "a@x.org"}]}, {"to": [{"email": "b@x.org"}]}],
            "from": {"email": "me@x.org"},
            "subject": "s",
            "content": [{"type": "text/plain", "value": "b"}],
        },
    ),
    "twilio-sms": (
        {"account_sid": "AC1", "auth_token": "pw", "from_phone_number": "+1", "to_phone_numbers": ["+2"]},
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
        f"Basic {LOGIN}",
        {"From": ["+1"], "To": ["+2"], "Body": ["s\nb"]},
    ),
}


@pytest.mark.parametrize("slug", SENT)
def test_each_service_gets_what_it_asks_for(slug: str) -> None:
    values, url, login, told = SENT[slug]

    (sent,) = message_calls(slug, values, "s", "b")

    is_form = "form" in sent.headers["Content-Type"]
    said = parse_qs(sent.body.decode()) if is_form else json.loads(sent.body)
    assert (sent.method, sent.url, said) == ("POST", url, told)
    assert sent.headers.get("Authorization") == login


def test_all_services_are_here() -> None:
    assert {*SENT, "custom-webhook", "apprisenotificationblock"} == set(SERVICES)


def test_a_service_that_takes_one_at_a_time_gets_several() -> None:
    numbers = {"account_sid": "A", "auth_token": "t", "from_phone_number": "+1"}
    sent = message_calls("twilio-sms", {**numbers, "to_phone_numbers": ["+2", "+3"]}, None, "b")
    assert [parse_qs(each.body.decode())["To"] for each in sent] == [["+2"], ["+3"]]


def test_a_message_that_is_too_long_is_cut() -> None:
    (sent,) = message_calls("discord-webhook", {"webhook_id": "1", "webhook_token": "t"}, None, "x" * 5000)
    text = json.loads(sent.body)["content"]
    assert (len(text), text[-2:]) == (2000, "x…")


def test_a_web_service_of_ones_own_gets_what_one_writes() -> None:
    values = {
        "name": "mine",
        "url": "https://x/{{key}}?a=1",
        "params": {"b": "{{ name }}"},
        "json_data": {"text": "{{subject}}: {{body}}", "deep": [{"{{key}}": "{{nothing}} {{"}, 1]},
        "headers": {"x-key": "{{key}}"},
        "cookies": {"c": "{{key}}"},
        "secrets": {"key": "s3cret"},
        "timeout": 3,
    }

    # What a message says is never taken for the name of a secret.
    (sent,) = message_calls("custom-webhook", values, None, "a {{key}}")

    assert (sent.url, sent.seconds) == ("https://x/s3cret?a=1&b=mine", 3)
    assert json.loads(sent.body) == {"text": ": a {{key}}", "deep": [{"s3cret": "{{nothing}} {{"}, 1]}
    assert sent.headers["x-key"] == "s3cret"
    assert sent.headers["Cookie"] == "c=s3cret"
    for form, body in (({"a": "{{body}}"}, b"a=b"), ("raw {{body}}", b"raw b")):
        (sent,) = message_calls("custom-webhook", values | {"form_data": form}, None, "b")
        assert sent.body == body


def test_webhooks_get_objects_as_json_and_texts_as_they_are() -> None:
    assert call_of_webhook({"url": "u"}, {"a": 1}).body == b'{"a": 1}'
    plain = call_of_webhook({"url": "u", "method": "PATCH", "verify": False}, "text")
    assert (plain.body, plain.headers, plain.method, plain.verify) == (b"text", {}, "PATCH", False)
    assert call_of_webhook({"url": "u"}, None).body == b""


@pytest.mark.parametrize(
    ("slug", "values", "reason"),
    [
        ("secret", {}, "those that can are apprisenotificationblock, custom-webhook"),
        ("slack-webhook", {"url": ["s3cret"]}, "The block has no 'url'."),
        ("apprisenotificationblock", {"url": "u", "allow_private_urls": False}, "`allow_private_urls`"),
    ],
    ids=["type", "value", "unchecked"],
)
def test_what_cannot_be_sent_is_said(slug: str, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        message_calls(slug, values, None, "b")
