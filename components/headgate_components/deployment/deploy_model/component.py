"""The Kubeflow Pipelines adapter of `deploy_model`."""

from kfp import dsl

from headgate_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, install_kfp_package=False)  # type: ignore[untyped-decorator]
def deploy_model(
    registration: dsl.Input[dsl.Artifact],
    golden: dsl.Input[dsl.Artifact],
    manifest: dsl.Output[dsl.Artifact],
    way: str = "file",
    file: str = "",
    repository: str = "",
    remote: str = "",
    name: str = "",
    namespace: str = "default",
    base: str = "",
    api_server: str = "",
    token_file: str = "",
    ca_file: str = "",
    wait_seconds: float = 0.0,
) -> str:
    """Hand a registered version to the operator: write its ModelDeployment to a file or a git working tree, or apply it.

    In an existing manifest, only the version's URI and golden set change; everything else stays, comments included. Running the step twice
    changes nothing the second time. If it waits for the verdict and the applied version is refused, it fails with the operator's reason.
    Never cache this step.

    Args:
        registration: What register_model wrote.
        golden: The golden set, deployed with it as a ConfigMap.
        manifest: The manifest, as YAML.
        way: `file`, `git` (commit in a working tree) or `apply` (server-side apply, by REST).
        file: The file to write; with git, its path in the working tree.
        repository: The folder of a git working tree with a branch checked out.
        remote: The git remote to push to, such as origin; nothing is pushed if it is empty.
        name: Name of the ModelDeployment; the model's by default.
        namespace: Namespace of the ModelDeployment.
        base: A manifest to start from, as YAML text, if there is none yet; sensible defaults if empty.
        api_server: Address of the Kubernetes API server; by default that of the pod's own cluster.
        token_file: File with the token for the API server.
        ca_file: File with the certificate authority that signed the API server's certificate.
        wait_seconds: Seconds to wait for the verdict on an applied version; 0 does not wait.

    Returns:
        What was done, in one sentence.
    """
    from pathlib import Path

    from headgate_components.deployment.deploy_model import logic
    from headgate_components.deployment.deploy_model.cluster import api_server as server_at
    from headgate_components.deployment.deploy_model.manifest import Target, Version
    from headgate_components.step import step

    with step("deploy_model"):
        how = logic.way(way)
        version = Version.read(Path(registration.path), Path(golden.path))
        target = Target(name or version.model_name, namespace)
        if how is logic.Way.GIT:
            deployed = logic.commit(version, target, repository=repository, file=file, base=base, remote=remote)
        elif how is logic.Way.APPLY:
            server = server_at(api_server, token_file, ca_file)
            deployed = logic.apply_and_wait(version, target, server, base=base, wait_seconds=wait_seconds)
        else:
            deployed = logic.write_file(version, target, file=file, base=base)
        Path(manifest.path).write_text(deployed.manifest, encoding="utf-8")
    manifest.metadata.update(model_name=target.name, version=version.version, uri=version.uri, outcome=deployed.sentence)
    return deployed.sentence
