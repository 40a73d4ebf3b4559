"""The Deployment controller: keeps the right pods, and the Deployment's status."""

import secrets
from dataclasses import dataclass

from headgate_devcluster.apiclient import ApiClient
from headgate_devcluster.kserve import deployments
from headgate_devcluster.kserve.names import DEPLOYMENT, KUBELET_MANAGER, REVISION_ANNOTATION, TEMPLATE_ANNOTATION
from headgate_devcluster.objects import POD, Object, key, merge_patch, terminating, timestamp
from headgate_devcluster.reconcile import reconcile


@dataclass
class DeploymentController:
    """All Deployments of the cluster."""

    api: ApiClient

    async def run(self) -> None:
        """Follow Deployments and Pods until cancelled."""
        await reconcile("deployments", self.api, [DEPLOYMENT, POD], self._sync)

    async def _sync(self) -> None:
        for deployment in await self.api.list(DEPLOYMENT.api_version, DEPLOYMENT.plural):
            if not terminating(deployment):
                await self._reconcile(deployment)

    async def _reconcile(self, deployment: Object) -> None:
        namespace, _ = key(deployment)
        await self._number_the_revision(deployment)
        count = deployments.census(deployment, await self.api.list(POD.api_version, POD.plural, namespace))
        for _ in range(deployments.pods_to_create(count)):
            name = f"{deployments.replica_set(deployment)}-{secrets.token_hex(3)[:5]}"
            await self.api.apply(deployments.new_pod(deployment, name), field_manager=KUBELET_MANAGER)
        for pod in deployments.pods_to_delete(count):
            await self.api.delete(POD.api_version, POD.plural, *key(pod))
        # Counted again: the status must not tell of pods that are gone, nor miss new ones.
        count = deployments.census(deployment, await self.api.list(POD.api_version, POD.plural, namespace))
        status = deployments.status(deployment, count, timestamp())
        if changes := merge_patch(deployment.get("status") or {}, status):
            await self._write(deployment, {"status": changes}, subresource="status")

    async def _number_the_revision(self, deployment: Object) -> None:
        annotations, digest = deployment["metadata"].get("annotations", {}), deployments.template_hash(deployment)
        if annotations.get(TEMPLATE_ANNOTATION) == digest:
            return
        number = int(annotations.get(REVISION_ANNOTATION, "0")) + 1
        await self._write(deployment, {"metadata": {"annotations": {TEMPLATE_ANNOTATION: digest, REVISION_ANNOTATION: str(number)}}})

    async def _write(self, deployment: Object, patch: Object, *, subresource: str = "") -> None:
        await self.api.merge_patch(DEPLOYMENT.api_version, DEPLOYMENT.plural, *key(deployment), patch, subresource=subresource)
