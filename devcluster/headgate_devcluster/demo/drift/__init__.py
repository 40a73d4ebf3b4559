"""A year of flights through the real drift monitor, on a simulated clock: what it tells, and what it leaves alone.

    train → fit the reference on January to May → replay the year with labels after arrival → three candidates on trial → report

The monitor's own engine runs inside this process, with its collector, windows, detectors and ground truth; only HTTP is left out, and time
is a variable. So this package alone in the devcluster imports the monitor and the training code.
"""
