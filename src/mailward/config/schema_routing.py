"""The schema of how databases are moved: `[routing]`, the administrator's map, and `[replication]`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mailward.config.fields import AT_HOME, Argv, FileName, Table, Text, table_with

#: Verb of `routing.commands` -> what the command must do.
ROUTING_COMMANDS = {
    "active": "Prints a line for each database: its name, white space, the server of its active copy.",
    "mailboxes": "Prints the mailboxes of the database `{database}`, one a line.",
    "switch": (
        "Sends the users of `{database}` from `{source}` to `{target}`, from now on. Exit status 0 when it did, 1 when"
        " the active copy was not on `{source}` any more and nothing was changed."
    ),
}

Replication = Literal["replicator", "sync", "shared-storage", "single"]
ROUTING_MAP = r"^(sqlite:[^\x00-\x1f]+|(postgresql|mysql|ldaps?|ldapi)://[^\x00-\x20]+|command)$"

REPLICATION_ADDRESS = r"^tcps?:[^\x00-\x20]+:[0-9]{1,5}$"


def peer_address(text: str) -> str:
    """
    Check the port at the end of an address.

    Raises:
        ValueError: It is none.
    """
    if not 0 < int(text.rpartition(":")[2]) < 65536:
        raise ValueError("must end with a port from 1 to 65535")
    return text


ReplicationAddress = Annotated[Text, Field(pattern=REPLICATION_ADDRESS), AfterValidator(peer_address)]

RoutingCommandsTable = table_with(
    "RoutingCommandsTable",
    "The words by which the map is read and changed; no shell sees them.",
    {verb: (Argv, meaning) for verb, meaning in ROUTING_COMMANDS.items()},
)


class LdapTable(Table):
    """
    What stands where in the directory that is the map: one entry for each database, or one for each mailbox. mailward
    asks it by OpenLDAP's `ldapsearch` and changes it by `ldapmodify`.
    """

    base: Text | None = None
    """The entries that hold the server of an active copy are below it. Required."""
    filter: Text | None = None
    """Which of the entries there. Default: "(objectClass=*)"."""
    database: Text | None = None
    """The attribute with the name of the database. Default: "mailDatabase"."""
    server: Text | None = None
    """The attribute with the server of its active copy. Default: "mailHost"."""
    hold_until: Text | None = None
    """
    The attribute until when new logins are held, in seconds since 1970; a switch writes it with the server. Default:
    logins are not held.
    """
    mailbox: Text | None = None
    """The attribute with the name of a mailbox. Default: "uid"."""
    mailboxes_base: Text | None = None
    """The entries of the mailboxes are below it. Default: the entries with the server are those of the mailboxes."""
    mailboxes: Text | None = None
    """Which they are; `{database}` stands for its name. Default: those with that name in the attribute `database`."""
    user: Text | None = None
    """
    The distinguished name to bind as; its password is that of `[routing]`. Default: nobody, or with ldapi the user that
    mailward runs as.
    """
    starttls: bool | None = None
    """Whether "ldap://" is encrypted before anything is said; where it cannot be, nothing is. Default: false."""
    ca_file: FileName | None = None
    """The authorities that the directory's certificate is checked by. Default: those of the machine's ldap.conf."""


class RoutingTable(Table):
    """The map from which proxies learn which copy of a database is active. Without it no database can be moved."""

    map: Annotated[Text, Field(pattern=ROUTING_MAP), AT_HOME] | None = None
    """
    "sqlite:FILE", "postgresql://USER@HOST/NAME", "mysql://USER@HOST/NAME" (MariaDB too), "ldap://HOST", "ldaps://HOST"
    or "ldapi://SOCKET" with `routing.ldap`, or "command" with the words of `routing.commands`. Required. The password
    stands elsewhere.
    """
    password_file: FileName | None = None
    """The file that holds the password of the map's user."""
    password_environment: Text | None = None
    """The environment variable that holds it."""
    password_credential: Text | None = None
    """The systemd credential that holds it."""
    active: Text | None = None
    """A statement with two columns: database, and the server of its active copy."""
    mailboxes: Text | None = None
    """A statement with one column: the mailboxes of `:database`."""
    switch: Text | None = None
    """
    A statement that changes the one row of `:database` from `:source` to `:target`, and nothing where the active copy
    is not on `:source` any more. With `:hold_until` (seconds since 1970) it also holds new logins until then.
    """
    commands: RoutingCommandsTable | None = None  # type: ignore[valid-type] # made from a table of verbs
    ldap: LdapTable | None = None


class ReplicationTable(Table):
    """How the copies of mailbox databases come to be alike."""

    kind: Replication | None = None
    """
    "replicator" (Dovecot 2.3's own), "sync" (mailward has `doveadm sync` run), "shared-storage" (all servers see one
    store), or "single". Without it no database can be moved.
    """
