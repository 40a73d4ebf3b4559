"""The names of the pipelines, known without compiling any: the command line offers them before it imports kfp."""

PIPELINES = ("training", "validation", "batch-score")
