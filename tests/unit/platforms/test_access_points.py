import pytest

from mailward.model.errors import ConfigError
from mailward.model.organization import AccessPoint, ImapEndpoint
from mailward.platforms.access_points import access_point_control_for
from mailward.ports.access_point_control import TAKE_OUT


def an_access_point(control, *, backend="proxies", members=None):
    return AccessPoint(
        name="imap.example.net",
        imap=ImapEndpoint(host="imap.example.net"),
        servers=("proxy1", "proxy2"),
        control=control,
        backend=backend,
        members=members or {},
    )


def test_haproxy_is_spoken_to_by_the_names_it_has_for_the_proxies():
    control = access_point_control_for(an_access_point("haproxy:/run/haproxy.sock", members={"proxy1": "p1"}))

    assert "set server proxies/p1 state maint" == control.command(TAKE_OUT, "proxy1")[0]
    assert "set server proxies/proxy2 state maint" == control.command(TAKE_OUT, "proxy2")[0]


@pytest.mark.parametrize("control", [None, "health-page"])
def test_an_access_point_that_takes_no_orders_has_no_control(control):
    assert access_point_control_for(an_access_point(control)) is None


@pytest.mark.parametrize("control", ["keepalived", "haproxy", "haproxy:", "health-page:x", ""])
def test_any_other_word_is_a_mistake_of_the_configuration_that_names_the_known_ones(control):
    with pytest.raises(ConfigError, match="access point imap.example.net: control = .* is none of haproxy:SOCKET"):
        access_point_control_for(an_access_point(control))


def test_haproxy_without_backend_is_a_mistake():
    with pytest.raises(ConfigError, match="needs the name of the backend"):
        access_point_control_for(an_access_point("haproxy:/run/haproxy.sock", backend=""))


@pytest.mark.parametrize("how", [{"backend": "pro xies"}, {"members": {"proxy1": "p1;quit"}}])
def test_names_that_haproxy_cannot_have_are_a_mistake(how):
    with pytest.raises(ConfigError, match="cannot be a name in HAProxy"):
        access_point_control_for(an_access_point("haproxy:/run/haproxy.sock", **how))
