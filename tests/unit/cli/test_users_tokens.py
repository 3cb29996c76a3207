"""`mailward users` and `mailward tokens`."""

import json

import pytest

from mailward.model.credentials import Role

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\nwhat follows is not read\n")
    return path


@pytest.fixture
def keyring(served):
    return served.keyring


def hash_of(served, name="eva"):
    return served.do(served.keyring.known()).users[name].password_hash


def test_a_user_is_added_with_a_password_from_a_file(ask, served, file):
    ran = ask("users", "add", "Eva", "--role", "operator", "--password-file", str(file))

    assert (0, "eva can log in as an operator from now on\n") == (ran.code, ran.out)
    assert served.do(served.keyring.passwords.fits(PASSWORD, hash_of(served)))
    assert Role.OPERATOR is served.do(served.keyring.known()).users["eva"].user.role


def test_a_password_is_asked_for_twice_and_never_shown(ask, served, monkeypatch):
    typed = iter([PASSWORD, PASSWORD + "x", PASSWORD, PASSWORD])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: next(typed))

    ran = ask("users", "add", "eva")

    assert (0, True, True) == (ran.code, "do not match" in ran.out + ran.err, PASSWORD not in ran.out + ran.err)
    assert served.do(served.keyring.passwords.fits(PASSWORD, hash_of(served)))


def test_where_nobody_can_be_asked_a_file_is_asked_for(ask):
    ran = ask("users", "add", "eva")

    assert (3, True) == (ran.code, "give --password-file FILE, or -" in ran.err)


def test_a_password_comes_from_standard_input_too(served, process):
    words = ("--socket", str(served.path), "users", "add", "eva", "--password-file", "-")

    assert 0 == process(*words, stdin=f"{PASSWORD}\n").code
    assert served.do(served.keyring.passwords.fits(PASSWORD, hash_of(served)))


def test_what_is_refused_is_told_without_the_password(ask, tmp_path):
    for text, said in (("hunter2\n", "from 12 to 500 characters"), ("\n", "begins with an empty line")):
        (tmp_path / "file").write_text(text)
        ran = ask("users", "add", "eva", "--password-file", str(tmp_path / "file"))
        assert (1, True) == (ran.code, said in ran.err)
        assert "hunter2" not in ran.out + ran.err


def test_users_are_listed_changed_and_removed(ask, served, file):
    ask("users", "add", "eva", "--password-file", str(file))
    listed = ask("users", "list")
    assert [["Name", "Role", "Last", "login"], ["eva", "viewer", "never"]] == [
        listed.out.splitlines()[0].split()[:4],
        listed.out.splitlines()[2].split()[:3],
    ]
    before = hash_of(served)

    assert 0 == ask("users", "password", "eva", "--password-file", str(file)).code
    assert before != hash_of(served)

    removed = ask("users", "remove", "eva")
    assert (0, "eva is removed, and logged out everywhere\n") == (removed.code, removed.out)
    assert "nobody can log in any more" in removed.err
    assert "mailward users add NAME" in ask("users", "list").err
    assert (1, True) == ((again := ask("users", "remove", "eva")).code, "there is no user 'eva'" in again.err)


def test_a_token_is_printed_once_and_alone(ask, served):
    ran = ask("tokens", "add", "grafana", "--expires", "90d")

    secret = ran.out.strip()
    assert (0, 1, True) == (ran.code, len(ran.out.splitlines()), secret.startswith("mailward_"))
    assert "the viewer token grafana" in ran.err
    listed = ask("tokens", "list")
    assert "grafana  viewer" in listed.out
    assert secret not in listed.out + ask("tokens", "list", "--format", "json").out

    assert "the token grafana is revoked\n" == ask("tokens", "revoke", "grafana").out
    assert "there are no tokens" in ask("tokens", "list").err


def test_a_token_can_be_made_for_programs(ask):
    made = json.loads(ask("tokens", "add", "deploy", "--role", "operator", "--json").out)

    assert ("operator", None, True) == (
        made["token"]["role"],
        made["token"]["expires_at"],
        made["secret"].startswith("mailward_"),
    )


@pytest.mark.parametrize("words", [("--expires", "0s"), ("--expires", "soon"), ("--role", "king")])
def test_a_token_that_cannot_be_is_refused(ask, words):
    assert 3 == ask("tokens", "add", "grafana", *words).code
