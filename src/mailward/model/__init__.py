"""
The values every room speaks: frozen dataclasses and closed enums, no behaviour beyond what a value knows of itself.

Invariant: this room imports nothing of mailward's other rooms and does no I/O. The text of an enum member is what a
person sees on the screen and what JSON carries; it never changes its meaning.
"""
