"""A job's story as lines of a terminal."""

from cli.screen.words import cell, in_words
from cli.wording.hints import advice_lines, with_commands
from services.story import Story, Told
from services.story_lines import Writing, story_lines


def story(told: Story) -> list[str]:
    """The lines of a job's story."""
    return story_lines(told, Writing(in_words, with_its_commands, advice_lines, cell))


def with_its_commands(told: Told) -> str:
    """A sentence in one line, with the commands against what it says."""
    return with_commands(in_words(told.text), told.hints)
