"""Times one tool on windows against a reference, in an environment of its own: `python rival.py TOOL ROWS WINDOW FEATURES REPEATS`.

Stands alone: nothing of Headgate is installed where it runs. Prints one JSON object with milliseconds a window.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")  # theirs


def alibi_detect(reference, _frame):
    import scipy.stats

    if not hasattr(scipy.stats, "binom_test"):
        scipy.stats.binom_test = None
    from alibi_detect.cd import TabularDrift

    detector = TabularDrift(reference, p_val=0.05, categories_per_feature={0: None, 1: None, 2: None, 3: None})
    return detector.predict


def evidently(reference, frame):
    from evidently import Report
    from evidently.presets import DataDriftPreset

    report, base = Report([DataDriftPreset()]), frame(reference)
    return lambda window: report.run(frame(window), base)


def nannyml(reference, frame):
    import nannyml as nml

    base = frame(reference)
    calculator = nml.UnivariateDriftCalculator(
        column_names=list(base.columns), treat_as_categorical=list(base.columns[:4]),
        continuous_methods=["kolmogorov_smirnov"], categorical_methods=["chi2"], chunk_size=500,
    )  # fmt: skip
    calculator.fit(base)
    return lambda window: calculator.calculate(frame(window))


def sample(rows, features, seed):
    """A fifth of the features are categories with six values."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, features))
    matrix[:, :4] = random.integers(0, 6, size=(rows, 4))
    return matrix


def frame(matrix):
    import pandas as pd

    made = pd.DataFrame(matrix, columns=[f"x{number}" for number in range(matrix.shape[1])])
    return made.astype(dict.fromkeys(made.columns[:4], "int64"))


def main(tool, rows, window, features, repeats):
    judge = {"alibi-detect": alibi_detect, "evidently": evidently, "nannyml": nannyml}[tool](sample(rows, features, 0), frame)
    windows = [sample(window, features, 1 + number) for number in range(repeats)]
    judge(windows[0])  # imports, caches
    spent = []
    for one in windows:
        began = time.process_time()
        judge(one)
        spent.append(1000 * (time.process_time() - began))
    sys.stdout.write(json.dumps({"median": float(np.median(spent)), "worst": max(spent)}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
