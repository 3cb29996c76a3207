"""Users and tokens, asked of and changed at a manager: what the command line does with them."""

from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from mailward.client.http import answered, read_json
from mailward.client.manager import API, read_items, read_value
from mailward.model.credentials import AccessToken, IssuedToken, Role, User

Value = TypeVar("Value")
_SECONDS = 15.0
_MS = timedelta(milliseconds=1)


class CredentialsClient:
    """
    Asks the manager behind one unix socket.

    Every method raises NoManager when nobody answers, NotFound for an unknown name, Refused for what cannot be, and
    TemporaryFailure when it cannot be done now.
    """

    def __init__(self, socket: Path) -> None:
        """Ask at *socket*."""
        self.socket = socket

    def users(self) -> tuple[User, ...]:
        """Who can log in, by name."""
        return self._listed(User, "/users")

    def add_user(self, name: str, role: Role, password: str) -> User:
        """Let somebody log in."""
        return self._changed(User, "/users", {"name": name, "role": role.value, "password": password})

    def set_password(self, name: str, password: str) -> User:
        """Change a password, which ends the user's sessions."""
        return self._changed(User, f"/users/{_part(name)}/password", {"password": password})

    def remove_user(self, name: str) -> User:
        """Let somebody log in no more, and end their sessions."""
        return self._changed(User, f"/users/{_part(name)}/remove", {})

    def tokens(self) -> tuple[AccessToken, ...]:
        """Every token, expired ones too, by name."""
        return self._listed(AccessToken, "/tokens")

    def add_token(self, name: str, role: Role, *, lasting: timedelta | None) -> IssuedToken:
        """Make a token; its secret is in the answer and nowhere else. None: it does not expire."""
        wanted: dict[str, object] = {"name": name, "role": role.value}
        if lasting is not None:
            wanted["lasting_ms"] = lasting // _MS
        return self._changed(IssuedToken, "/tokens", wanted)

    def revoke_token(self, name: str) -> AccessToken:
        """Let a token let nobody in any more."""
        return self._changed(AccessToken, f"/tokens/{_part(name)}/revoke", {})

    def _listed(self, kind: type[Value], path: str) -> tuple[Value, ...]:
        with answered(self.socket, "GET", API + path, timeout=_SECONDS) as response:
            return read_items(kind, read_json(response))

    def _changed(self, kind: type[Value], path: str, body: object) -> Value:
        with answered(self.socket, "POST", API + path, body=body, timeout=_SECONDS) as response:
            return read_value(kind, read_json(response))


def _part(name: str) -> str:
    return quote(name, safe="")
