"""A controller with the Kubernetes launcher that dies by SIGKILL at a chosen point."""

import asyncio
import os
import sys
from pathlib import Path

from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.runner_config import read_runner_config
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.integration.crashing_controller import crash


async def main(point: str) -> None:
    """Claims and launches as the installed controller would, and dies."""
    conninfo = os.environ["DATABASE_URL"]
    async with controller_pool(conninfo, 1) as pool:
        installation = await ControllerStore(pool).installation_id()
    configuration = await load_configuration(Path(os.environ["AFFIRM_KUBECONFIG"]))
    api = KubernetesApi(configuration, os.environ["AFFIRM_NAMESPACE"])
    template = read_runner_config(Path(os.environ["AFFIRM_RUNNER_CONFIG"]))
    await crash(conninfo, KubernetesLauncher(api, installation, template), point)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
