"""Running pipelines on a Kubeflow cluster: the calls of its API that this needs, and what is made of them."""
