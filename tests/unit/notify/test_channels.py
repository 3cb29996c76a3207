import pytest

from mailward.model.channels import Channel, ChannelKind
from mailward.notify.channels import notifier_for
from mailward.testing.platform import KnownSecrets


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_of_channel_has_a_notifier_of_that_name(kind):
    notifier = notifier_for(Channel(name=f"my-{kind.value}", kind=kind), KnownSecrets({}))

    assert f"my-{kind.value}" == notifier.name
