"""The dashboard: pages for people, on the same Manager port as the API; each is of use without JavaScript."""
