"""What to send to a service for a message, by the values of the block that names the service.

A message is one request, or several where the service takes one recipient at a time. Nothing is sent here.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec

from prefect.exceptions import ConfigurationError

__all__ = ["SERVICES", "Outgoing", "call_of_webhook", "message_calls"]

Values = Mapping[str, Any]

WEBHOOK = "webhook"
APPRISE = "apprisenotificationblock"
_PLACEHOLDER_ENDS = "{{", "}}"
_SECONDS = 15.0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a service of somebody else's. Its address and its headers may be secret."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    body: bytes = b""
    seconds: float = _SECONDS
    """How long it may take as a whole."""
    verify: bool = True
    """Whether the other side must show who it is."""
    allow_private: bool = True
    """Whether it may be at an address that is not of the internet."""
    through_apprise: bool = False
    """Whether `url` is one of Apprise, and `body` the message as JSON."""


def message_calls(slug: str, values: Values, subject: str | None, body: str) -> list[Outgoing]:
    """Return what to send for a message.

    Args:
        slug: The type of the block.
        values: The values of the block.
        subject: The subject, if it has one.
        body: The text.

    Raises:
        prefect.exceptions.ConfigurationError: There is no such service, or a value is missing.
    """
    service = SERVICES.get(slug)
    if service is None:
        known = ", ".join(sorted(SERVICES))
        raise ConfigurationError(
            f"Blocks of type {slug!r} cannot be sent messages by; those that can are {known}."
        )
    return service(values, subject, body)


def call_of_webhook(values: Values, payload: dict[str, Any] | str | None) -> Outgoing:
    """Return what to send to call a webhook.

    Args:
        values: The values of the block.
        payload: What to send: an object is sent as JSON.

    Raises:
        prefect.exceptions.ConfigurationError: A value is missing.
    """
    headers = {str(name): str(value) for name, value in (values.get("headers") or {}).items()}
    body = b""
    if isinstance(payload, str):
        body = payload.encode()
    elif payload is not None:
        body = _json(payload)
        headers = {"Content-Type": "application/json"} | headers
    return Outgoing(
        url=_text(values, "url"),
        method=str(values.get("method") or "POST"),
        headers=headers,
        body=body,
        verify=values.get("verify") is not False,
        allow_private=values.get("allow_private_urls") is not False,
    )


# --- the services -------------------------------------------------------------------------------------------


def _slack(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    text = f"*{subject}*\n{body}" if subject else body
    return [_posted(values, _text(values, "url"), {"text": text})]


def _teams(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    wrap = values.get("wrap") is not False
    blocks: list[dict[str, Any]] = [{"type": "TextBlock", "text": body, "wrap": wrap}]
    if subject:
        blocks.insert(0, {"type": "TextBlock", "text": subject, "weight": "bolder", "wrap": wrap})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    told = {"type": "message", "attachments": [attachment]}
    return [_posted(values, _text(values, "url"), told)]


def _discord(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    place = f"{quote(_text(values, 'webhook_id'))}/{quote(_text(values, 'webhook_token'))}"
    # Longer messages are refused as a whole.
    text = _shortened(f"**{subject}**\n{body}" if subject else body, 2000)
    told = {"content": text, "tts": bool(values.get("tts"))} | _given(
        values, username="botname", avatar_url="avatar_url"
    )
    return [_posted(values, f"https://discord.com/api/webhooks/{place}", told)]


def _mattermost(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    scheme = "https" if values.get("secure") else "http"
    path = str(values.get("path") or "").strip("/")
    url = (
        f"{scheme}://{_text(values, 'hostname')}:{values.get('port') or 8065}"
        f"{'/' + path if path else ''}/hooks/{quote(_text(values, 'token'))}"
    )
    told = {"text": f"{subject}\n{body}" if subject else body} | _given(values, username="botname")
    channels = values.get("channels") or [None]
    each = [told | ({} if name is None else {"channel": str(name).lstrip("#")}) for name in channels]
    return [_posted(values, url, one) for one in each]


def _pager_duty(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    severity = {"warning": "warning", "failure": "critical"}.get(str(values.get("notify_type")), "info")
    payload = {
        "summary": _shortened(f"{subject}: {body}" if subject else body, 1024),
        "severity": severity,
        "source": values.get("source") or "Prefect",
        "component": values.get("component") or "Notification",
        "custom_details": {"body": body} | (values.get("custom_details") or {}),
    } | _given(values, group="group", **{"class": "class_id"})
    told: dict[str, Any] = {
        "routing_key": _text(values, "integration_key"),
        "event_action": "trigger",
        "payload": payload,
    }
    if values.get("clickable_url"):
        told["links"] = [{"href": str(values["clickable_url"]), "text": subject or "Prefect"}]
    host = "events.eu.pagerduty.com" if values.get("region_name") == "eu" else "events.pagerduty.com"
    login = {"Authorization": f"Token token={_text(values, 'api_key')}"}
    return [_posted(values, f"https://{host}/v2/enqueue", told, login)]


_TARGETS = (
    ("target_user", "user", "username"),
    ("target_team", "team", "name"),
    ("target_schedule", "schedule", "name"),
    ("target_escalation", "escalation", "name"),
)


def _opsgenie(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    targets = [
        {"type": kind, field: str(name)} for key, kind, field in _TARGETS for name in values.get(key) or ()
    ]
    told: dict[str, Any] = {
        "message": _shortened(subject or body, 130),
        "description": _shortened(body, 15_000),
        # The block counts from low to emergency, the service from P1, the most urgent.
        "priority": f"P{6 - min(5, max(1, int(values.get('priority') or 3)))}",
    } | _given(values, tags="tags", alias="alias", entity="entity", details="details")
    if targets:
        told["responders"] = targets
    host = "api.eu.opsgenie.com" if values.get("region_name") == "eu" else "api.opsgenie.com"
    login = {"Authorization": f"GenieKey {_text(values, 'apikey')}"}
    return [_posted(values, f"https://{host}/v2/alerts", told, login)]


def _sendgrid(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    recipients = values.get("to_emails") or []
    told = {
        # Apart, so that none of them sees the others.
        "personalizations": [{"to": [{"email": str(each)}]} for each in recipients],
        "from": {"email": _text(values, "sender_email")},
        "subject": subject or "Prefect",
        "content": [{"type": "text/plain", "value": body or " "}],
    }
    login = {"Authorization": f"Bearer {_text(values, 'api_key')}"}
    return [_posted(values, "https://api.sendgrid.com/v3/mail/send", told, login)] if recipients else []


def _twilio(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    account = _text(values, "account_sid")
    login = b64encode(f"{account}:{_text(values, 'auth_token')}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
    url = f"https://api.twilio.com/2010-04-01/Accounts/{quote(account)}/Messages.json"
    text = _shortened(f"{subject}\n{body}" if subject else body, 1600)
    told = {"From": _text(values, "from_phone_number"), "Body": text}
    return [
        Outgoing(url=url, headers=headers, body=urlencode(told | {"To": str(each)}).encode())
        for each in values.get("to_phone_numbers") or []
    ]


def _custom(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    known = {**(values.get("secrets") or {}), "subject": subject, "body": body, "name": values.get("name")}

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return _substituted(value, known)
        if isinstance(value, list):
            return [filled(each) for each in value]
        if isinstance(value, Mapping):
            return {filled(name): filled(each) for name, each in value.items()}
        return value

    url = filled(_text(values, "url"))
    if params := filled(values.get("params") or {}):
        parts = urlsplit(url)
        url = urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(params)]))))
    headers: dict[str, str] = {}
    content = b""
    form, told = filled(values.get("form_data")), filled(values.get("json_data"))
    if isinstance(form, str):
        content = form.encode()
    elif form:
        content = urlencode(form).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif told is not None:
        content = _json(told)
        headers["Content-Type"] = "application/json"
    if cookies := filled(values.get("cookies") or {}):
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers |= {str(name): str(value) for name, value in filled(values.get("headers") or {}).items()}
    return [
        Outgoing(
            url=url,
            method=str(values.get("method") or "POST"),
            headers=headers,
            body=content,
            seconds=float(values.get("timeout") or 10),
            allow_private=values.get("allow_private_urls") is not False,
        )
    ]


def _apprise(values: Values, subject: str | None, body: str) -> list[Outgoing]:
    if values.get("allow_private_urls") is False:
        raise ConfigurationError(
            "What Apprise connects to cannot be checked: such a block must have `allow_private_urls`."
        )
    told = {"body": body, "title": subject or "", "notify_type": values.get("notify_type") or "info"}
    return [Outgoing(url=_text(values, "url"), body=_json(told), through_apprise=True)]


SERVICES: dict[str, Callable[[Values, str | None, str], list[Outgoing]]] = {
    APPRISE: _apprise,
    "custom-webhook": _custom,
    "discord-webhook": _discord,
    "mattermost-webhook": _mattermost,
    "ms-teams-webhook": _teams,
    "opsgenie-webhook": _opsgenie,
    "pager-duty-webhook": _pager_duty,
    "sendgrid-email": _sendgrid,
    "slack-webhook": _slack,
    "twilio-sms": _twilio,
}
"""What to send, by the type of the block."""


# --- parts --------------------------------------------------------------------------------------------------


def _posted(values: Values, url: str, told: Any, headers: Mapping[str, str] | None = None) -> Outgoing:
    return Outgoing(
        url=url,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=_json(told),
        allow_private=values.get("allow_private_urls") is not False,
    )


def _text(values: Values, name: str) -> str:
    """Return a value that there must be; what it is never becomes part of an error."""
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"The block has no {name!r}.")
    return value


def _given(values: Values, **names: str) -> dict[str, Any]:
    """Return those values that there are, by the names that a service has for them."""
    return {name: values[own] for name, own in names.items() if values.get(own)}


def _substituted(text: str, known: Values) -> str:
    start, end = _PLACEHOLDER_ENDS
    # In one pass, so that what a message says is never taken for the name of a secret.
    parts = text.split(start)
    done = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition(end)
        if closed and name.strip() in known:
            value = known[name.strip()]
            done.append("" if value is None else str(value))
            done.append(rest)
        else:
            done.append(start + part)
    return "".join(done)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode("utf-8", errors="replace")
