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

    A manifest that exists keeps everything but the version's URI and golden set, comments included. What is done twice changes nothing the
    second time. With time to wait, an applied version that is refused fails the step with the operator's reason. Never cache this step.

    Args:
        registration: What register_model wrote.
        golden: The golden set, which goes along as a ConfigMap.
        manifest: The manifest, as YAML.
        way: `file`, `git` (commit in a working tree) or `apply` (server-side, by REST).
        file: The file to write; with git, its path in the working tree.
        repository: The folder of a git working tree that is on a branch.
        remote: The git remote to push to, such as origin; nothing is pushed if it is empty.
        name: Name of the ModelDeployment; the model's by default.
        namespace: Namespace of the ModelDeployment.
        base: A manifest to start from, as YAML text, where no file is there yet; sensible defaults otherwise.
        api_server: Address of the Kubernetes API server; the pod's own by default.
        token_file: File with the token for it.
        ca_file: File with the certificate authority to trust for it.
        wait_seconds: How long to wait for the verdict on an applied version; 0 does not wait.

    Returns:
        What was done, in a sentence.
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
