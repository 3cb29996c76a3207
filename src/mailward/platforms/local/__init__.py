"""The machine mailward itself runs on: clock, chance, secrets, and the host port for a service on this very machine."""
