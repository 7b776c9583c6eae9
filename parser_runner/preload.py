"""Imported once by the parent of all forked runners, so that no runner has to load and compile this itself."""

from io import BytesIO

import parser_runner.child
from dataset_jobs.storage import local
from dataset_jobs.store.statements import all_statements
from parser_runner.file_parser import FileParser, FileToParse
from parser_runner.parsers import Source, countries, parsers_of

__all__ = ["local", "parser_runner"]

all_statements()
for _country in countries():
    for _parser in parsers_of(_country):
        # Compiles the parser's regular expressions.
        _parser.recognise(Source("preload.txt", BytesIO(b"no,publisher's,file\n")))

# A process that has parsed before needs less time for a file: so do all that are forked from it.
_parser_of_file = FileParser(FileToParse("yob2020.txt", "US"))
_parser_of_file.write(b"Emma,F,15433\n")
_parser_of_file.parse(lambda rows_done: None)
_parser_of_file.close()
