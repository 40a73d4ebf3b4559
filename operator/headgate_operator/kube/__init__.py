"""A small Protocol of API verbs, and its implementation on the kubernetes client. Imports nothing else of ours."""
