"""
What to do next about a broken service, and why not (design §4): procedures, gates, throttles.

Invariant: decides only. Everything it knows is handed in as values, the present moment included; what is unknown never
leads to an action.
"""
