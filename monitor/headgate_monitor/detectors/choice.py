"""Which of alibi-detect's tests decides whether a window differs from the reference; chosen when the reference is fitted."""

from enum import StrEnum


class Detector(StrEnum):
    """The choices. Whatever decides, distances and floors are the same: the test says how sure a shift is, not how large."""

    TABULAR = "tabular"
    """Kolmogorov–Smirnov for numbers, chi-square for categories, on a reference that was sorted once. The default, and the fastest."""

    KS = "ks"
    """The same tests by the stock `KSDrift` and `ChiSquareDrift`."""

    CVM = "cvm"
    """`CVMDrift` for numbers: more sensitive to many small differences. Chi-square for categories."""

    CHI_SQUARE = "chi-square"
    """`ChiSquareDrift` for everything: numbers are cut at the reference's quantiles."""

    CLASSIFIER = "classifier"
    """`ClassifierDrift`: a model that tells the window's rows from the reference's. One p-value for all features together, so it also sees
    what changes only in their relation; needs scikit-learn and up to a second a window."""
