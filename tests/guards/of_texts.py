"""Guards of terminals, logs and spreadsheets against texts of others."""

from tests.guards.mutants import Mutant, one

_TEXT = "dataset_jobs/model/text.py"
_GATE = "tests/unit/test_text.py"
_COMMANDS = "tests/integration/test_text_in_every_command.py"
_PIPED = f"{_COMMANDS}::test_no_command_pipes_on_what_a_terminal_obeys"
_LOGS = "tests/unit/test_logs.py"
_FORMULAS = "tests/unit/test_formulas.py"
_OUTPUT = "cli/screen/output.py"

MUTANTS: dict[str, Mutant] = {
    "control characters pass": one(_TEXT, r'"[\0-\x1f\x7f-\x9f"', '"["', _GATE),
    "C1 control characters pass": one(_TEXT, r'"[\0-\x1f\x7f-\x9f"', r'"[\0-\x1f\x7f"', _GATE),
    "directions pass": one(_TEXT, r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069", "", _GATE),
    "marks of directions pass": one(_TEXT, r"\u061c\u200e\u200f\u202a", r"\u202a", _GATE),
    "separators of lines pass": one(_TEXT, r'    "\u2028\u2029"  #', '    ""  #', _GATE),
    "characters that are not seen pass": one(
        _TEXT, r'"\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"', '""', _PIPED
    ),
    "halves of pairs pass": one(_TEXT, r'    "\ud800-\udfff]"', '    "]"', _GATE),
    "JSON may command a terminal": one(
        _TEXT, r"_UNPRINTABLE.sub(lambda found: f" + '"' + r"\\u{ord(found[0]):04x}" + '", line)', "line", _GATE
    ),
    "commands print lines as they are": one(
        _OUTPUT, "    shown: Iterable[str] = map(one_line, lines)", "    shown: Iterable[str] = lines", _PIPED
    ),
    "states are printed as they are": one(
        _OUTPUT, "    for line in map(one_line, lines):", "    for line in lines:", _PIPED
    ),
    "texts of several lines are printed as they are": one(
        _OUTPUT, "    print(lines_of(text), file=", "    print(text, file=", _GATE
    ),
    "a plain log has messages as they are": one(
        "dataset_jobs/logs.py",
        "return one_line(f\"{text}  {' '.join(fields)}\" if fields else text)",
        "return f\"{text}  {' '.join(fields)}\" if fields else text",
        _GATE,
    ),
    "a plain log has tracebacks as they are": one(
        "dataset_jobs/logs.py",
        "return lines_of(super().formatException(ei))",
        "return super().formatException(ei)",
        _GATE,
    ),
    "a terminal's log has messages as they are": one(
        "dataset_jobs/terminal_log.py",
        "message = one_line(record.getMessage())",
        "message = record.getMessage()",
        _LOGS,
    ),
    "a terminal's log has file names as they are": one(
        "dataset_jobs/terminal_log.py",
        "shown = one_line(str(file))",
        "shown = str(file)",
        _LOGS,
    ),
    "a terminal's log has tracebacks as they are": one(
        "dataset_jobs/terminal_log.py",
        "trace = lines_of(self.formatException(record.exc_info))",
        "trace = self.formatException(record.exc_info)",
        _LOGS,
    ),
    "formulas are printed as they are": one(
        "cli/commands/parse.py",
        "(*others, quoted(name), count)",
        "(*others, name, count)",
        "tests/integration/test_cli.py::test_names_like_formulas_are_loaded_as_published_and_printed_as_texts",
    ),
    **{
        f"a name that begins with {what} is no formula": one("cli/screen/formulas.py", before, after, _FORMULAS)
        for what, before, after in (
            ("=", "[=+", "[+"),
            ("+", "[=+", "[="),
            ("-", r"+\\-@", "+@"),
            ("@", r"\\-@\t", r"\\-\t"),
            ("a tab", r"@\t\r", r"@\r"),
            ("a line feed", r"\r\n\uff1d", r"\r\uff1d"),
            ("a wide =", r"\uff1d", ""),
            ("a wide @", r"\uff0d\uff20", r"\uff0d"),
            ("an apostrophe and =", "\"'*[", '"['),
        )
    },
}
"""What was taken out, in words, and how."""
