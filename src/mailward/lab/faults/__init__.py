"""
One catalogue of faults as data: what breaks, how it is healed, and what is true while it lasts.

A fault's name is KIND, or KIND@HOST where it strikes one host, or KIND@DATABASE. The demo, the acceptance tests and
the drills all break labs by this catalogue; the truth in it is what a verdict is compared with.

Not in the catalogue, because no lab without root can do it honestly: a DNS name that is gone (the resolver belongs to
the machine), and a process that waits in the kernel (D state).
"""

from mailward.lab.faults.catalogue import FAULTS, catalogue
from mailward.lab.faults.fault import Fault, Remedy, Truth

__all__ = ["FAULTS", "Fault", "Remedy", "Truth", "catalogue"]
