import pytest

from mailward.model.channels import Channel, ChannelKind
from mailward.notify.channels import notifier_for
from mailward.testing.platform import KnownSecrets


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_of_channel_has_a_notifier(kind):
    assert notifier_for(Channel(name="night", kind=kind), KnownSecrets({}))
