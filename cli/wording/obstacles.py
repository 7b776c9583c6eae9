"""What keeps jobs from running, as lines of a terminal: the sentences of `services`, with the commands against it."""

from cli.screen.words import in_words
from cli.wording.hints import with_commands
from services.explain import Explanation
from services.obstacle_words import holds_up, unserved_by
from services.obstacle_words import in_the_way as in_the_way_
from services.status import Obstacle


def waits_in_words(told: Explanation) -> list[str]:
    """What the job waits for, a sentence each."""
    return [
        with_commands(
            in_words(holds_up(one, told.job.pool, told.now, orphaned=told.run_is_orphaned)),
            one.hints,
        )
        for one in told.waits
    ]


def unserved_in_words(obstacle: Obstacle, pool: str | None = None) -> str:
    """Why new jobs wait, those of a pool or of several, with the command against it."""
    return with_commands(in_words(unserved_by(obstacle, pool)), obstacle.hints)


def in_the_way(obstacle: Obstacle) -> str:
    """An obstacle of the installation, without the commands against it."""
    return in_words(in_the_way_(obstacle))
