"""The rollout: one pure function, `decide(observed) -> Decision`. No I/O, no clock, no kubernetes.

    observe (controller)  →  Observed  →  decide  →  Decision  →  act (controller)

Everything that may influence a decision is in `Observed`; everything that follows from it is in `Decision`. A pass that finds nothing to
change returns a Decision whose status equals the observed one and whose children are already there.
"""
