"""The name of `long` in version 0.1, for parsers of other packages. Goes in version 0.3, with `former`."""

from parser_runner.parsers.long import *  # noqa: F403
