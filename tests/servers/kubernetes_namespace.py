"""As much of an API server as a check of a cluster asks: rights, accounts, quotas, one custom resource, dry runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from controller.pools.quantities import parse_quantity

CUSTOM_RESOURCE = Path(__file__).parents[2] / "charts" / "affirm-worker" / "files" / "parserpools.yaml"
STRANGER = "system:serviceaccount:names:stranger"
_JOB_SPEC = {
    "activeDeadlineSeconds", "backoffLimit", "completions", "parallelism", "podFailurePolicy", "podReplacementPolicy",
    "suspend", "template", "ttlSecondsAfterFinished",
}  # fmt: skip
_READS = ("serviceaccounts", "resourcequotas", "parserpools")


@dataclass
class FakeNamespace:
    """What the server says. Who comes with the token `stranger` has only the rights in `granted`.

    Args:
        granted: verb, group and resource of each right.
    """

    name: str = "names"
    url: str = ""
    minor: str = "34"
    accounts: set[str] = field(default_factory=lambda: {"default"})
    quotas: dict[str, dict[str, str]] = field(default_factory=dict)
    custom_resource: dict[str, Any] | None = field(
        default_factory=lambda: yaml.safe_load(CUSTOM_RESOURCE.read_text(encoding="utf-8"))
    )
    parser_pools: list[dict[str, Any]] = field(default_factory=list)
    granted: set[tuple[str, str, str]] = field(default_factory=set)
    refused: str = ""
    """What admission says of every Job."""
    created: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Any request."""
        path = request.path
        stranger = request.headers.get("Authorization") == "Bearer stranger"
        if path == "/version":
            return web.json_response({"major": "1", "minor": self.minor})
        if path.endswith("/selfsubjectreviews"):
            user = STRANGER if stranger else "admin"
            return web.json_response({"status": {"userInfo": {"username": user}}}, status=201)
        if path.endswith("/selfsubjectaccessreviews"):
            asked = (await request.json())["spec"]["resourceAttributes"]
            resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
            allowed = not stranger or (asked["verb"], asked["group"], resource) in self.granted
            return web.json_response({"status": {"allowed": allowed}}, status=201)
        if path == "/openapi/v3/apis/affirm.dev/v1":
            return self._openapi()
        last = path.rstrip("/").split("/")
        if request.method == "GET":
            return self._read(last, stranger)
        return self._create(last[-1], await request.json(), request.query)

    def _openapi(self) -> web.Response:
        """What resources are made of: everybody may see it."""
        if self.custom_resource is None:
            return _missing()
        [version] = self.custom_resource["spec"]["versions"]
        schemas = {"dev.affirm.v1.ParserPool": version["schema"]["openAPIV3Schema"]}
        return web.json_response({"components": {"schemas": schemas}})

    def _read(self, path: list[str], stranger: bool) -> web.Response:
        kind = next(one for one in path if one in _READS)
        group = "affirm.dev" if kind == "parserpools" else ""
        if stranger and not {("list", group, kind), ("get", group, kind)} & self.granted:
            return _refusal(403, "Forbidden", f"{kind} is forbidden")
        if kind == "resourcequotas":
            items = [
                {"metadata": {"name": name}, "status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
                for name, hard in self.quotas.items()
            ]
            return web.json_response({"items": items})
        if kind == "serviceaccounts":
            there = path[-1] in self.accounts
            return web.json_response({"metadata": {"name": path[-1]}}) if there else _missing()
        if self.custom_resource is None:
            return _missing()
        return web.json_response({"items": self.parser_pools})

    def _create(self, kind: str, given: Mapping[str, Any], query: Mapping[str, str]) -> web.Response:
        if kind == "jobs" and (unknown := given.get("spec", {}).keys() - _JOB_SPEC):
            return _refusal(400, "BadRequest", f'strict decoding error: unknown field "spec.{min(unknown)}"')
        if kind == "jobs" and self.refused:
            return _refusal(403, "Forbidden", self.refused)
        if kind == "pods":
            for name, hard in self.quotas.items():
                if parse_quantity(hard.get("pods", "100")) < 1:
                    return _refusal(403, "Forbidden", f"pods is forbidden: exceeded quota: {name}, requested: pods=1")
        if query.get("dryRun") != "All":
            self.created.append(given["metadata"]["name"])
        return web.json_response(given, status=201)


def _refusal(status: int, reason: str, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "reason": reason, "message": message}, status=status)


def _missing() -> web.Response:
    return _refusal(404, "NotFound", "not found")


@asynccontextmanager
async def serving(namespace: FakeNamespace) -> AsyncIterator[None]:
    """Serves it at `namespace.url`."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", namespace.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        namespace.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield
    finally:
        await runner.cleanup()
