"""A service under a supervisor that answers on a unix socket (protocol: docstring of the lab's supervisor)."""
