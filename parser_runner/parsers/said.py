"""The former names of `year_and_sex`, for parsers of other packages. To be deleted with `former`."""

from parser_runner.parsers.year_and_sex import check_year, refuse_sex_hint
from parser_runner.parsers.year_and_sex import detect_sex as sex_in
from parser_runner.parsers.year_and_sex import resolve_sex as the_sex
from parser_runner.parsers.year_and_sex import resolve_year as the_year

__all__ = ["check_year", "refuse_sex_hint", "sex_in", "the_sex", "the_year"]
