"""Where the files of an exported model lie, relative to its folder."""

MODEL = "model.ubj"
"""The only top-level model file: KServe's own XGBoost server takes exactly one."""

FEATURES = "headgate/features.json"
METADATA = "headgate/metadata.json"
GOLDEN = "headgate/golden.json"
DRIFT = "headgate/drift"
