"""
Managed availability for IMAP.

mailward watches an IMAP service the way its users meet it, says which tier is broken and why.
Each folder is a room with its own rules; `docs/architecture.md` walks through them.
"""

__version__ = "0.1.0"
