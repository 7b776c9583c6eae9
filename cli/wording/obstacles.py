"""What keeps jobs from running, as lines of a terminal: the sentences of `services`, with the commands against it."""

from cli.screen.words import in_words
from cli.wording.hints import with_commands
from services.obstacle_words import in_the_way as in_the_way_
from services.obstacle_words import unserved_by
from services.status import Obstacle
from services.story import Story


def waits_in_words(told: Story) -> list[str]:
    """What the job waits for, a sentence each."""
    return [with_commands(in_words(one.text), one.hints) for one in told.waits]


def unserved_in_words(obstacle: Obstacle, pool: str | None = None) -> str:
    """Why new jobs wait, those of a pool or of several, with the command against it."""
    return with_commands(in_words(unserved_by(obstacle, pool)), obstacle.hints)


def in_the_way(obstacle: Obstacle) -> str:
    """An obstacle of the installation, without the commands against it."""
    return in_words(in_the_way_(obstacle))
