"""Exchange: its protocol log, read."""
