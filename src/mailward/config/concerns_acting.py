"""What works but deserves a look in what mailward may do, and in whom it tells."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from mailward.config.concerns import Concern
from mailward.config.fields import Table
from mailward.config.schema import Configuration
from mailward.config.schema_acting import CLASSES
from mailward.config.tuning import recovery
from mailward.model.channels import Channel, ChannelKind
from mailward.model.recovery import ActionClass, Mode
from mailward.ports.settings import Snapshot


def concerns_about_acting(snapshot: Snapshot) -> Iterator[Concern]:
    """Every concern about recovery and notification that follows from the values of a configuration."""
    yield from _recovery(snapshot)
    yield from _told(snapshot)
    for channel in snapshot.channels:
        yield from _channel(channel)


def concerns_about_classes(configuration: Configuration) -> Iterator[Concern]:
    """What was written for a class of action and cannot come true: more than the organization lets mailward do."""
    settings = recovery(configuration)
    table: Table | None = getattr(configuration.recovery, CLASSES, None)
    if table is None:
        return
    for action in ActionClass:
        wanted = settings.classes[action]
        if action.value in table.model_fields_set and settings.mode_of(action) is not wanted:
            text = (
                f'is "{wanted.value}", but recovery.mode is "{settings.mode.value}", which is the most anything may do'
            )
            yield Concern(about=f"recovery.classes.{action.value}", text=text)


def _recovery(snapshot: Snapshot) -> Iterator[Concern]:
    settings, servers = snapshot.recovery, snapshot.organization.servers.values()
    if settings.mode in (Mode.APPROVE, Mode.ACT) and not any(server.host.service for server in servers):
        text = f'is "{settings.mode.value}", but no server has host.service: nothing could ever be done'
        yield Concern(about="recovery.mode", text=text)
    # "approve" is the default: it is no wish that somebody wrote down
    wants_restarts = settings.mode_of(ActionClass.SERVER_RESTART) is Mode.ACT
    if wants_restarts and not any(server.restartable for server in servers):
        text = 'is "act", but no server is restartable: no server will ever be restarted'
        yield Concern(about="recovery.classes.server-restart", text=text)


def _told(snapshot: Snapshot) -> Iterator[Concern]:
    """A dead-man channel tells that mailward is gone, and nothing else."""
    channels = [channel for channel in snapshot.channels if channel.kind is not ChannelKind.DEAD_MAN]
    if not channels:
        text = "there is no channel, so nobody is told of anything; add a table such as [notify.oncall]"
        yield Concern(about="notify", text=text)
        return
    if all(channel.is_watched_mail for channel in channels):
        text = "every channel is mail that is read by way of what is watched: when it breaks, nobody hears of it; at"
        yield Concern(about="notify", text=f"{text} least one channel should not be the mail that is being watched")
    if not snapshot.escalation.support:
        text = "is empty: who is told, and cannot help, does not learn whom to call"
        yield Concern(about="escalation.support", text=text)


def _channel(channel: Channel) -> Iterator[Concern]:
    parts = urlsplit(channel.url)
    if parts.query:
        text = "has a part after ?, where secrets often are; then use url_file, so that nobody reads it here"
        yield Concern(about=f"notify.{channel.name}.url", text=text)
    if channel.bearer_token is not None and parts.scheme == "http" and not _is_here(parts.hostname or ""):
        text = "is not encrypted: the token can be read on the way"
        yield Concern(about=f"notify.{channel.name}.url", text=text)
    if channel.user and channel.starttls is False and not channel.tls and not _is_here(channel.host):
        text = "is off, and a password is never sent without encryption: nothing could be sent"
        yield Concern(about=f"notify.{channel.name}.starttls", text=text)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
