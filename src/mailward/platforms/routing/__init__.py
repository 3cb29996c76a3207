"""Maps of databases to servers: in an SQL database, in an LDAP directory, or whatever commands read and change."""
