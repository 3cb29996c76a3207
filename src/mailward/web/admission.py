"""
Who may come in, and how far.

Over the unix socket the kernel says who is at the other end. Over TCP somebody shows a token or has logged in; where
no login is configured, whoever is on this machine may look.

Invariant: a change is never made because a page of somebody else's made the reader's browser ask for it.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request

from mailward.web.access import Access, Caller, Right
from mailward.web.client_address import came_by_proxy
from mailward.web.problems import Code, Problem

ANYBODY = "anybody on this machine"


class Admission(Protocol):
    """The rule at one door."""

    async def admit(self, request: Request, needed: Right) -> Caller:
        """
        Say who asks, once it is sure that they may.

        Raises:
            Problem: UNAUTHENTICATED where logging in would help, FORBIDDEN where it would not.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerAdmission:
    """Over the unix socket: by the user at the other end, as the kernel says."""

    access: Access

    async def admit(self, request: Request, needed: Right) -> Caller:
        """Let in whom `Access` lets in."""
        peer = request.scope.get("state", {}).get("peer")
        caller = self.access.caller(peer) if peer is not None else None
        owner = self.access.owner_name
        if caller is None:
            who = "unknown callers" if peer is None else f"uid {peer.uid}"
            raise Problem(
                Code.FORBIDDEN,
                f"this manager does not answer {who}: be its own user ({owner}), root, or a member of the group"
                " 'mailward'",
            )
        if caller.right < needed:
            raise Problem(Code.FORBIDDEN, f"{caller.name} may look but not change; that needs {owner} or root")
        return caller


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopbackAdmission:
    """Over TCP where nobody can log in: whoever is on this machine has *right*, and nobody else comes in."""

    right: Right = Right.VIEWER

    async def admit(self, request: Request, needed: Right) -> Caller:
        """Let in whoever asks from this machine, by a name that stands for it."""
        if needed is Right.NONE:
            return Caller(name=ANYBODY, right=Right.NONE)
        refuse_strange_host(request, ())
        if request.client is None or not _is_loopback(request.client.host) or came_by_proxy(request):
            raise Problem(
                Code.FORBIDDEN,
                "this page is for people on the manager's own machine, because nobody can log in yet; add a user there"
                " with `mailward users add NAME`",
            )
        if self.right < needed:
            raise Problem(
                Code.FORBIDDEN,
                "here you may look but not change, because nobody can log in; add a user with `mailward users add NAME"
                " --role operator`, or use the command line on the manager's machine",
            )
        if needed > Right.VIEWER:
            refuse_foreign_page(request)
        return Caller(name=ANYBODY, right=self.right)


def refuse_strange_host(request: Request, names: tuple[str, ...]) -> None:
    """
    Pass only requests for a name of this machine's or one of *names*.

    Another name that leads here was given by somebody who wants a reader's browser to believe that their pages and ours
    are one site (DNS rebinding).

    Raises:
        Problem: FORBIDDEN.
    """
    host = _name_in(request.headers.get("host", ""))
    if host not in ("localhost", *names) and not _is_loopback(host):
        raise Problem(
            Code.FORBIDDEN,
            f"this manager does not answer under the name {host[:200]!r}; the one it has is said by [web] public_url",
        )


def refuse_foreign_page(request: Request) -> None:
    """
    Pass only what one of our own pages, or no page at all, made the browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site` (W3C Fetch Metadata), older ones in `Origin` (RFC 6454).

    Raises:
        Problem: FORBIDDEN.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is not None and origin.partition("://")[2] == request.headers.get("host", "")
    if not is_ours:
        raise Problem(Code.FORBIDDEN, "this change was not asked for by a page of this manager, and is not made")


def _name_in(authority: str) -> str:
    """The host of "HOST" or "HOST:PORT", in lower case; "" where there is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").lower()
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
