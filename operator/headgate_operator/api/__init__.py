"""The `ModelDeployment` resource: its types, its defaults, its rules and its CRD. Imports nothing else of ours."""
