"""The running operator: observe → decide → act, with kopf as event source and process shell only."""
