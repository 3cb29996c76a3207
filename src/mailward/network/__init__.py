"""
TCP, TLS and STARTTLS streams with deadlines: the `Network` port.

Invariant: every wait ends by its deadline; every handshake is a full one; nothing here knows IMAP.
"""
