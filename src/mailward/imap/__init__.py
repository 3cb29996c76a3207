"""
The client's side of an IMAP conversation without I/O: RFC 3501 and 9051, with 2177, 2971, 4315, 4959, 5530 and 7888.

Invariant: this room opens no connection, reads no clock, and trusts no server: every byte it takes counts against
`Limits`. Its `Transcript` is safe to show by construction.
"""

from mailward.imap.authentication import CannotAuthenticate, Obstacle, choose_authentication
from mailward.imap.commands import (
    Append,
    Authenticate,
    Capability,
    CloseMailbox,
    Command,
    Examine,
    Expunge,
    Id,
    Idle,
    Login,
    Logout,
    MailboxStatusCommand,
    Noop,
    Select,
    StartTls,
    UidExpunge,
    UidFetch,
    UidSearchDeleted,
    UidSearchHeader,
    UidStoreDeleted,
)
from mailward.imap.conversation import Conversation
from mailward.imap.errors import LocalProtocolError, RemoteProtocolError, Violation
from mailward.imap.events import Ended, Event, Greeting, Idling, Mailbox, Reply, Update
from mailward.imap.limits import Limits
from mailward.imap.responses import (
    Capabilities,
    Code,
    Exists,
    Expunged,
    Fetch,
    Flags,
    Found,
    Identity,
    Listed,
    MailboxStatus,
    Other,
    Recent,
    Response,
    Status,
    StatusText,
    Vanished,
)
from mailward.imap.sasl import Credentials
from mailward.imap.state import State
from mailward.imap.transcript import Transcript

__all__ = [
    "Append",
    "Authenticate",
    "CannotAuthenticate",
    "Capabilities",
    "Capability",
    "CloseMailbox",
    "Code",
    "Command",
    "Conversation",
    "Credentials",
    "Ended",
    "Event",
    "Examine",
    "Exists",
    "Expunge",
    "Expunged",
    "Fetch",
    "Flags",
    "Found",
    "Greeting",
    "Id",
    "Identity",
    "Idle",
    "Idling",
    "Limits",
    "Listed",
    "LocalProtocolError",
    "Login",
    "Logout",
    "Mailbox",
    "MailboxStatus",
    "MailboxStatusCommand",
    "Noop",
    "Obstacle",
    "Other",
    "Recent",
    "RemoteProtocolError",
    "Reply",
    "Response",
    "Select",
    "StartTls",
    "State",
    "Status",
    "StatusText",
    "Transcript",
    "UidExpunge",
    "UidFetch",
    "UidSearchDeleted",
    "UidSearchHeader",
    "UidStoreDeleted",
    "Update",
    "Vanished",
    "Violation",
    "choose_authentication",
]
