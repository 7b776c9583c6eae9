"""The runner of `small_files`. Each child imports this, so it imports nothing but what the warm parent has already."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

from parser_runner.apart import parser
from parser_runner.child import run_child
from parser_runner.file_parser import FileParser, FileToParse, Parsing
from parser_runner.run import RunnerContext

AS_IT_IS, EACH_APART, IN_ONE = "as it is", "a parser process for each file", "parsed in the runner"


def run_as(
    variant: str, environment: Mapping[str, str], job_id: str, epoch: int, message_path: str, secret: str
) -> None:
    """The runner, in one of its variants."""
    if variant == IN_ONE:
        RunnerContext.parsing = _parsing  # type: ignore[method-assign,assignment]
    elif variant == EACH_APART:
        parser.FILES_OF_A_PARSER = 1
    run_child(environment, job_id, epoch, message_path, secret)


@contextmanager
def _parsing(context: RunnerContext, asked: FileToParse, go_on: Callable[[], None]) -> Iterator[Parsing]:
    with closing(FileParser(asked)) as parsing:
        yield parsing
