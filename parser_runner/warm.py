"""Imported by the parent that runners are forked from: what each of them would have to load and compile for itself."""

import parser_runner.child
from dataset_jobs.storage import local
from dataset_jobs.store.statements import all_statements
from parser_runner.parsers import countries, parsers_of

__all__ = ["local", "parser_runner"]

for _country in countries():
    parsers_of(_country)
all_statements()
