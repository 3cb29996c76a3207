"""Maps of mailbox databases to servers: in an SQL database, or whatever a command reads and changes."""
