"""
What mailward shows to Prometheus: `/metrics`, and `/probe` with blackbox_exporter's names.

Works on values of the Manager port. Invariant: knows neither engine nor web; a name or label, once published, keeps its
meaning; every label is a closed list, an item's name, or the name of a server of the organization.
"""
