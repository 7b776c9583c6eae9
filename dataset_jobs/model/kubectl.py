"""Commands for Kubernetes objects, as every surface shows them."""

import shlex

from dataset_jobs.model.hints import Hint


def patch_parser_pool(hint: Hint) -> str:
    """The command of a hint `PATCH_PARSER_POOL`."""
    namespace, patch = hint.namespace or "NAMESPACE", shlex.quote(hint.patch or "")
    return f"kubectl patch parserpool {hint.name} -n {namespace} --type merge -p {patch}"
