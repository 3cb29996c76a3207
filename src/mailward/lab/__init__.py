"""
Organizations to try mailward on, and one catalogue of faults to break them with.

Invariant: everything a lab starts lives in its own folder, on 127.x addresses, and is gone when the lab is down.
"""
