import pytest

from mailward.health.filters import matches, state_named
from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue

SETS = ("IMAP", "IMAP.Protocol", "IMAP.Proxy", "DiskSpace")


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        (None, SETS),
        ("IMAP", ("IMAP",)),
        ("imap", ("IMAP",)),
        ("IMAP*", ("IMAP", "IMAP.Protocol", "IMAP.Proxy")),
        ("imap.*", ("IMAP.Protocol", "IMAP.Proxy")),
        ("*space", ("DiskSpace",)),
        ("IMAP.Pro?y", ("IMAP.Proxy",)),
        ("IMA", ()),
        ("", ()),
    ],
)
def test_a_name_without_wildcard_means_itself_alone(pattern, meant):
    assert meant == tuple(name for name in SETS if matches(pattern, name))


@pytest.mark.parametrize("text", ["Unhealthy", "unhealthy", "UNHEALTHY"])
def test_a_state_is_read_without_regard_to_case(text):
    assert AlertValue.UNHEALTHY is state_named(text)


def test_an_unknown_state_is_refused_with_the_nearest():
    with pytest.raises(Refused, match="did you mean Unhealthy"):
        state_named("unhelthy")
    with pytest.raises(Refused, match="known: Healthy, Degraded"):
        state_named("xyz")
