"""Reaching another machine: ssh to `mailward-host`, a fixed list of verbs behind a forced command."""
