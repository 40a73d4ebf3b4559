"""`headgate doctor`: is everything there that rollouts need, and if not, what to do.

A check reads what it must and hands it to small functions that judge. `examine` has the list of all.
"""

from headgate_operator.cli.doctor.command import doctor

__all__ = ["doctor"]
