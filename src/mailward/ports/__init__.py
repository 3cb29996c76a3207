"""
What mailward needs from the world, as typed Protocols; one port a file.

Invariant: ports may be `async def` but carry no asyncio types, know no implementation, and do no I/O. A port's
docstring says what must be atomic, what must raise, and what an implementation may leave out.
"""
