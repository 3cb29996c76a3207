"""The only place that picks implementations: `assemble` for the manager, `examine` for one-shot checks."""
