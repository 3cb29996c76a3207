import pytest

from mailward.probes.serving import serving_server

KNOWN = (("be1", "be1"), ("mbx-one.example.org", "be1"), ("10.0.0.2", "be2"))


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"x-backend": "be1"}, "be1"),
        ({"x-backend": "BE1.example.org"}, "be1"),
        ({"x-backend": "mbx-one.example.org"}, "be1"),
        ({"x-backend": "somebody-new"}, "somebody-new"),
        ({"name": "Dovecot"}, None),
        ({"name": "Cyrus IMAPD", "host": "be1"}, "be1"),
        ({"hostname": "10.0.0.2"}, "be2"),
        ({"x-backend": "", "host": "be1"}, "be1"),
        ({}, None),
    ],
)
def test_the_serving_server_is_named_as_we_know_it(identity, expected):
    assert expected == serving_server(
        identity, known=KNOWN, backend_keys=("x-backend",), hint_keys=("host", "hostname", "name")
    )


def test_a_field_that_often_holds_something_else_is_not_believed_unless_it_names_a_known_server():
    assert serving_server({"name": "be9"}, known=KNOWN, backend_keys=("x-backend",), hint_keys=("name",)) is None
