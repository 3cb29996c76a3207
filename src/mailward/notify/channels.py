"""Which implementation serves a channel."""

from collections.abc import Callable, Mapping

from mailward.model.channels import Channel, ChannelKind
from mailward.notify.alertmanager import alertmanager
from mailward.notify.dead_man import DeadManNotifier
from mailward.notify.smtp import SmtpNotifier
from mailward.notify.webhook import webhook
from mailward.ports.notifier import Notifier
from mailward.ports.secrets import Secrets

_MAKERS: Mapping[ChannelKind, Callable[[Channel, Secrets], Notifier]] = {
    ChannelKind.SMTP: SmtpNotifier,
    ChannelKind.WEBHOOK: webhook,
    ChannelKind.ALERTMANAGER: alertmanager,
    ChannelKind.DEAD_MAN: DeadManNotifier,
}


def notifier_for(channel: Channel, secrets: Secrets) -> Notifier:
    """What sends to *channel*; secrets are read each time something is sent."""
    return _MAKERS[channel.kind](channel, secrets)
