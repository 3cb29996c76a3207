"""
The gates: each a small pure function that says whether one named reason stands against one wanted deed.

A gate looks at nothing but the values it is handed, and always answers with a sentence. Which gates are asked about
which deed is a table in `recovery.deciding`.
"""
