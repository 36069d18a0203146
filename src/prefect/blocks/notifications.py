"""Blocks that send messages to people, by way of the services that they use.

What is sent is said by `prefect.rules.messages`, so that servers, which know no classes of blocks, send the
same.
"""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Literal

from pydantic import AnyHttpUrl, Field, SecretStr

from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.values import values_of
from prefect.client.awaiting import awaited, either_way
from prefect.exceptions import ConfigurationError
from prefect.types.secret_dict import SecretDict
from prefect.version import INTERFACE_VERSION

__all__ = [
    "AppriseNotificationBlock",
    "CustomWebhookNotificationBlock",
    "DiscordWebhook",
    "MattermostWebhook",
    "MicrosoftTeamsWebhook",
    "OpsgenieWebhook",
    "PREFECT_NOTIFY_TYPE_DEFAULT",
    "PagerDutyWebHook",
    "SendgridEmail",
    "SlackWebhook",
    "TwilioSMS",
]

PREFECT_NOTIFY_TYPE_DEFAULT = "info"

_OF_WHAT = "What the message is about."
_NAME = "The name that it is sent under."
_IMAGE = "Accepted; no images are sent."
_PRIVATE = "Whether the address may be one that is not of the internet."
_REGION = "Where the account is."


class _Service(NotificationBlock, ABC):
    """A block that sends by a service."""

    _block_schema_version = INTERFACE_VERSION
    _service: ClassVar[str]
    """The service; subclasses with types of their own send by it too."""

    # The interface has it called plainly here, where its abstract class has a coroutine.
    def notify(self, body: str, subject: str | None = None) -> None:  # type: ignore[override]
        """Send a message; what cannot be sent is told by a warning, or see `raise_on_failure`.

        Args:
            body: The text.
            subject: The subject, if it has one.

        Returns:
            Nothing. In asynchronous code, a coroutine of that.

        Raises:
            prefect.blocks.abstract.NotificationError: It could not be sent, and that is to be raised.
        """
        return either_way(self._notify)(body, subject)

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """Send a message; see `notify`."""
        await awaited(self._notify)(body, subject)

    def _notify(self, body: str, subject: str | None) -> None:
        from prefect.operations.outgoing import CallFailed, deliver  # noqa: PLC0415 - asyncio loads slowly
        from prefect.rules.messages import message_calls  # noqa: PLC0415 - only who sends needs it

        failed: list[str] = []
        try:
            calls = message_calls(self._service, values_of(self), subject, body)
        except ConfigurationError as error:
            return self._failed(error)
        for each in calls:
            try:
                deliver(each)
            except CallFailed as failure:
                failed.append(str(failure))
        if failed:
            self._failed(" ".join(dict.fromkeys(failed)))


class _Typed(_Service, ABC):
    notify_type: Literal["info", "success", "warning", "failure"] = Field("info", description=_OF_WHAT)


class AppriseNotificationBlock(_Typed):
    """Sends messages by any service of Apprise, which must be installed: `proconsul[notifications]`."""

    _service = "apprisenotificationblock"

    url: SecretStr = Field(title="Webhook URL", description="The address, as Apprise has it.")
    allow_private_urls: bool = Field(True, description=_PRIVATE)


class SlackWebhook(AppriseNotificationBlock):
    """Sends messages to a channel of Slack."""

    _block_type_name = "Slack Webhook"
    _block_type_slug = "slack-webhook"
    _service = "slack-webhook"

    url: SecretStr = Field(title="Webhook URL", description="The address of an incoming webhook.")


class MicrosoftTeamsWebhook(AppriseNotificationBlock):
    """Sends messages to a channel of Microsoft Teams."""

    _block_type_name = "Microsoft Teams Webhook"
    _block_type_slug = "ms-teams-webhook"
    _service = "ms-teams-webhook"

    url: SecretStr = Field(title="Webhook URL", description="The address of a workflow that posts cards.")
    include_image: bool = Field(True, description=_IMAGE)
    wrap: bool = Field(True, description="Whether long lines go on in the next.")


class DiscordWebhook(_Typed):
    """Sends messages to a channel of Discord."""

    _block_type_name = "Discord Webhook"
    _block_type_slug = "discord-webhook"
    _service = "discord-webhook"

    webhook_id: SecretStr = Field(description="The first part of the webhook's secret.")
    webhook_token: SecretStr = Field(description="The second part of the webhook's secret.")
    botname: str | None = Field(None, title="Bot name", description=_NAME)
    tts: bool = Field(False, description="Whether it is read aloud.")
    include_image: bool = Field(False, description=_IMAGE)
    avatar: bool = Field(False, description="Accepted; see `avatar_url`.")
    avatar_url: str | None = Field(None, title="Avatar URL", description="A picture of the sender.")


class MattermostWebhook(_Typed):
    """Sends messages to channels of Mattermost."""

    _block_type_name = "Mattermost Webhook"
    _block_type_slug = "mattermost-webhook"
    _service = "mattermost-webhook"

    hostname: str = Field(description="Where the server is.")
    secure: bool = Field(False, description="Whether by https.")
    token: SecretStr = Field(description="The webhook's secret.")
    botname: str | None = Field(None, title="Bot name", description=_NAME)
    channels: list[str] | None = Field(None, description="To which channels; left out, to the webhook's.")
    include_image: bool = Field(False, description=_IMAGE)
    path: str | None = Field(None, description="What comes between the host and the webhook, if anything.")
    port: int = Field(8065, description="The server's port.")


class PagerDutyWebHook(_Typed):
    """Opens incidents of PagerDuty."""

    _block_type_name = "Pager Duty Webhook"
    _block_type_slug = "pager-duty-webhook"
    _service = "pager-duty-webhook"

    integration_key: SecretStr = Field(description="The routing key of the service's integration.")
    api_key: SecretStr = Field(title="API Key", description="A key of the account.")
    source: str | None = Field("Prefect", description="Where it comes from.")
    component: str = Field("Notification", description="What of it.")
    group: str | None = Field(None, description="What it belongs to.")
    class_id: str | None = Field(None, title="Class ID", description="Of what kind it is.")
    region_name: Literal["us", "eu"] = Field("us", description=_REGION)
    clickable_url: AnyHttpUrl | None = Field(None, title="Clickable URL", description="A link to show.")
    include_image: bool = Field(True, description=_IMAGE)
    custom_details: dict[str, str] | None = Field(None, description="Whatever else is to be shown.")


class OpsgenieWebhook(_Typed):
    """Opens alerts of Opsgenie."""

    _block_type_name = "Opsgenie Webhook"
    _block_type_slug = "opsgenie-webhook"
    _service = "opsgenie-webhook"

    apikey: SecretStr = Field(title="API Key", description="A key of the account.")
    target_user: list[str] | None = Field(None, description="Whom to tell.")
    target_team: list[str] | None = Field(None, description="Which teams to tell.")
    target_schedule: list[str] | None = Field(None, description="Who is on duty by these schedules.")
    target_escalation: list[str] | None = Field(None, description="Who is told by these escalations.")
    region_name: Literal["us", "eu"] = Field("us", description=_REGION)
    batch: bool = Field(False, description="Accepted; there is one alert for all.")
    tags: list[str] | None = Field(None, description="Tags of the alert.")
    priority: int | None = Field(3, description="From 1, low, to 5, an emergency.")
    alias: str | None = Field(None, description="What makes two alerts one.")
    entity: str | None = Field(None, description="What it is about.")
    details: dict[str, str] | None = Field(None, description="Whatever else is to be shown.")


class SendgridEmail(_Typed):
    """Sends e-mail by SendGrid."""

    _block_type_name = "Sendgrid Email"
    _block_type_slug = "sendgrid-email"
    _service = "sendgrid-email"

    api_key: SecretStr = Field(title="API Key", description="A key of the account.")
    sender_email: str = Field(title="Sender email id", description="Who sends it.")
    to_emails: list[str] = Field(title="Recipient emails", description="To whom; none sees the others.")


class TwilioSMS(_Typed):
    """Sends text messages by Twilio."""

    _block_type_name = "Twilio SMS"
    _block_type_slug = "twilio-sms"
    _service = "twilio-sms"

    account_sid: str = Field(description="The account.")
    auth_token: SecretStr = Field(description="The account's secret.")
    from_phone_number: str = Field(description="The number that it is sent from.")
    to_phone_numbers: list[str] = Field(description="To whom.")


class CustomWebhookNotificationBlock(_Service):
    """Sends messages by any web service: `{{subject}}`, `{{body}}`, `{{name}}` and secrets are filled in."""

    _block_type_name = "Custom Webhook"
    _block_type_slug = "custom-webhook"
    _service = "custom-webhook"

    name: str = Field(description="What it is called in messages.")
    url: str = Field(title="Webhook URL", description="The address.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="How to call it.")
    params: dict[str, str] | None = Field(
        None, title="Query Params", description="What to add to the address."
    )
    json_data: dict[str, Any] | None = Field(None, title="JSON Data", description="What to send, as JSON.")
    form_data: dict[str, str] | str | None = Field(
        None, title="Form Data", description="What to send in place of JSON: a form, or any text."
    )
    headers: dict[str, str] | None = Field(None, description="What to send along.")
    cookies: dict[str, str] | None = Field(None, description="Cookies to send along.")
    timeout: float = Field(10, description="Seconds that it may take.")
    allow_private_urls: bool = Field(True, description=_PRIVATE)
    secrets: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Custom Secret Values",
        description="Values that may be named in all others.",
    )

    def _notify(self, body: str, subject: str | None) -> None:
        # By this one, who calls it has always been told.
        with self.raise_on_failure():
            super()._notify(body, subject)
