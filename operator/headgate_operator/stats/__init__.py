"""E-processes for comparing two versions by counts. Pure: no I/O, no clock, nothing of ours imported.

`block` is what is counted, `hypergeometric` its exact law, `rollback` and `promotion` the two kinds of evidence in the comparison with
stable, `objective` that of the candidate alone, `first_failures` that of a candidate whose answers were all bad, `capital` how evidence is
added that began at different times, `outlook` the requests still needed, `silence` and `split` whether the candidate gets the traffic it
should. All evidence is in natural logarithms.
"""
