"""E-processes for comparing two versions by counts. Pure: no I/O, no clock, nothing of ours imported.

`block` is what is counted, `hypergeometric` its exact law, `rollback` and `promotion` the two kinds of evidence, `outlook` the requests
still needed, `silence` the question whether the candidate gets traffic at all. All evidence is in natural logarithms.
"""
