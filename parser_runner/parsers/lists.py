"""The former name of `long`, for parsers of other packages. To be deleted with `former`."""

from parser_runner.parsers.long import *  # noqa: F403
