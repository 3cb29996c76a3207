"""HAProxy as the access point: by its runtime socket."""
