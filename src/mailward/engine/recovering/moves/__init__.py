"""
Moving mailbox databases: one database to another copy, all of a server, and back.

What is safe next is decided by `failover`; here the hosts, the map, the proxies and the copies are looked at and told.
"""
