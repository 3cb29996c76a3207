"""
The lab's third form: whole organizations inside one process, for machines without Dovecot and for thousands of servers.

Both shapes of the real lab, with its names and its truths: proxies that pass users on to the mailbox server the map
names, databases with copies, health mailboxes, services and hosts. Servers answer IMAP in memory, and on loopback
addresses over TLS where a manager in the same process is to meet them as it would meet real ones.

What it is good for is what it promises: it passes the network and platform contract tests. It says nothing about mail:
no store, no locks, no delivery, no replication (copies of a database share their messages), no Dovecot wording beyond
the answers of its faults. What Dovecot does, the Dovecot lab says.
"""

from mailward.lab.simulated.simulation import Simulation

__all__ = ["Simulation"]
