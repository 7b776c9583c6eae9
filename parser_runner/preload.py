"""Imported once by the parent of all forked runners, so that no runner has to load and compile this itself."""

from io import BytesIO

import parser_runner.child
from dataset_jobs.storage import local
from dataset_jobs.store.statements import all_statements
from parser_runner.parsers import Source, countries, parsers_of

__all__ = ["local", "parser_runner"]

all_statements()
for _country in countries():
    for _parser in parsers_of(_country):
        # Compiles the parser's regular expressions.
        _parser.recognise(Source("preload.txt", BytesIO(b"no,publisher's,file\n")))
