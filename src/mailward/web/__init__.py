"""
The JSON API on the Manager port.

Invariant: knows the Manager port and the wire form, nothing of engines or stores.
"""
