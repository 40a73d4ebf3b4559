"""The KServe stand-in: KServe's controller, the Deployment controller and the kubelet, as far as Headgate can tell the difference.

A development and test double. What it writes into statuses, and when, was recorded from a real KServe controller in Standard mode.
"""
