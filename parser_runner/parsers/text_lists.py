"""The former name of `declared`, for parsers of other packages. To be deleted with `former`."""

from parser_runner.parsers.declared import *  # noqa: F403
