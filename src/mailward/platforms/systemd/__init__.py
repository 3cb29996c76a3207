"""A service under systemd."""
