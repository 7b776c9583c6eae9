"""Says which controllers of one database describe one pool in different ways: the one that came last is in force.

Two releases may share a database, and a pool. Nothing of theirs is lost; but what one of them asks for does not count.
"""

from collections.abc import Container, Iterable, Iterator

from controller.pools.spec import PoolSpec
from dataset_jobs.model.pools import PoolOrigin


def rivals(origins: Iterable[PoolOrigin], own: PoolSpec, described: Container[str], namespace: str) -> Iterator[str]:
    """What to say of pools that are not as this controller has them.

    Args:
        origins: who has set the pools of the database, as far as this controller describes them.
        own: the pool of the settings.
        described: the pools that a ParserPool of this namespace describes.
        namespace: this one.
    """
    for pool in origins:
        if pool.described_in is not None:
            if pool.name in described and pool.described_in != namespace:
                yield (
                    f"ParserPool {pool.name} of namespace {namespace} does not count: that of namespace"
                    f" {pool.described_in} is newer, in the same database; give pools of one database different names"
                )
        elif pool.name == own.name:
            asked = (
                ("POOL_MAX_PARALLELISM", own.max_parallelism, pool.setting_max_running),
                ("POOL_MAX_PENDING", own.max_pending, pool.setting_max_pending),
            )
            for setting, mine, last in asked:
                if mine is not None and last is not None and mine != last:
                    yield (
                        f"{setting} is {mine} for pool {pool.name} here, and {last} where a controller of the same"
                        " database has started last, which counts: give them the same one, or pools of different names"
                    )
