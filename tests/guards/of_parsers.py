"""Guards of the process that parses, and of files."""

from collections.abc import Iterator

from tests.guards.mutants import Mutant, one

_CONFINE = "parser_runner/apart/confine.py"
_PARENT = "parser_runner/apart/parent.py"
_PARSER = "parser_runner/apart/parser.py"
_HOSTILE = "tests/unit/test_hostile_parser.py"
_CALL = f"{_HOSTILE}::test_it_makes_no_dangerous_system_call"
_PRIVILEGES = f"{_HOSTILE}::test_it_has_no_privileges_and_gets_none"
_STAY = "tests/integration/test_credentials_stay.py"
_FILES = "tests/unit/test_hostile_files.py"

_LIMITS = {
    "RLIMIT_AS, 1024 * MIB + most + limits.rows * _BYTES_OF_A_ROW": "memory",
    "RLIMIT_FSIZE, most": "the size of files",
    "RLIMIT_CPU, limits.cpu_seconds": "processor time",
    "RLIMIT_NOFILE, _OPEN_FILES": "open files",
    "RLIMIT_CORE, 0": "core dumps",
    "RLIMIT_NPROC, _PROCESSES": "processes",
}
_CALLS = {
    41: "socket",
    101: "ptrace",
    310: "process_vm_readv",
    311: "process_vm_writev",
    438: "pidfd_getfd",
    425: "io_uring_setup",
    272: "unshare",
    308: "setns",
    321: "bpf",
    298: "perf_event_open",
    323: "userfaultfd",
    250: "keyctl",
}
_ALL_CALLS = f"(0xC000003E, ({', '.join(map(str, _CALLS))}))"
_DOES_NOT_EXIST = 1_000_000


def _limits() -> Iterator[tuple[str, Mutant]]:
    for limit, what in _LIMITS.items():
        text = f"_set_limit(resource.{limit})"
        yield (
            f"a parser has no limit of {what}",
            one(_CONFINE, text, "pass", f"{_HOSTILE}::test_its_limits_follow_from_those_of_files"),
        )


def _calls() -> Iterator[tuple[str, Mutant]]:
    """Another number stands in for the call, so that the filter stays as long as it is."""
    for number, name in _CALLS.items():
        after = f"(0xC000003E, ({', '.join(str(_DOES_NOT_EXIST if call == number else call) for call in _CALLS)}))"
        yield f"a parser may call {name}", one(_CONFINE, _ALL_CALLS, after, _CALL)


MUTANTS: dict[str, Mutant] = {
    **dict(_limits()),
    **dict(_calls()),
    "no seccomp for a parser": one(
        _CONFINE, "prctl(_PR_SET_SECCOMP, 2, pointer, 0, 0)", "prctl(0, 2, pointer, 0, 0)", _CALL
    ),
    "seccomp is said and not done": one(
        _CONFINE, "_libc.prctl(_PR_SET_SECCOMP, 2, pointer, 0, 0)", "len(pointer) * 0", _CALL
    ),
    "calls by their other numbers pass": one(
        _CONFINE, "(at_least, refuse, 0, _OTHER_ABI)", "(at_least, 0, 0, _OTHER_ABI)", _CALL
    ),
    "Landlock is said and not done": one(
        _CONFINE, "_libc.syscall(_LANDLOCK_RESTRICT, rules, 0)", "0", f"{_HOSTILE}::test_it_reads_no_other_file"
    ),
    "Landlock lets all be read": one(
        _CONFINE,
        '    _allow(rules, "/dev/null", _READ_FILE | _WRITE_FILE)\n',
        '    _allow(rules, "/dev/null", _READ_FILE | _WRITE_FILE)\n    _allow(rules, "/", _READ_FILE | _READ_FOLDER)\n',
        f"{_HOSTILE}::test_it_reads_no_process",
    ),
    "Landlock lets packages be written": one(
        _CONFINE,
        "        _allow(rules, path, _EXECUTE | _READ_FILE | _READ_FOLDER)\n",
        "        _allow(rules, path, _EXECUTE | _READ_FILE | _READ_FOLDER | _WRITE_FILE | _MAKE_FILE)\n",
        f"{_HOSTILE}::test_it_writes_no_other_file",
    ),
    "a parser is in no namespace": one(
        _CONFINE,
        "if _libc.unshare(_NEW_NAMESPACES) == 0:",
        "if False:",
        f"{_HOSTILE}::test_it_signals_no_process_outside",
    ),
    "a parser's namespace has all processes": one(
        _CONFINE,
        "0x10000000 | 0x40000000 | 0x20000000 | 0x08000000",
        "0x10000000 | 0x40000000 | 0x08000000",
        f"{_HOSTILE}::test_it_signals_no_process_outside",
    ),
    "a parser may get new privileges": one(
        _CONFINE, "if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:", "if True:", _PRIVILEGES
    ),
    "a parser has capabilities": one(_CONFINE, "if _libc.capset(header, none) == 0:", "if True:", _PRIVILEGES),
    "a parser inherits the environment": one(
        "parser_runner/apart/clean_start.py",
        "env=clean_environment(os.environ)",
        "env=dict(os.environ)",
        f"{_HOSTILE}::test_its_environment_has_no_credential",
    ),
    "the parent of children inherits the environment": one(
        "controller/launchers/process/clean_environment.py",
        "clean_environment(os.environ), file_actions",
        "dict(os.environ), file_actions",
        f"{_STAY}::test_only_the_runner_has_ever_seen_a_credential",
    ),
    "every variable is harmless": one(
        "dataset_jobs/host.py",
        "if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}",
        "}",
        f"{_HOSTILE}::test_its_environment_has_no_credential",
    ),
    "a parser keeps open files": one(
        _PARENT,
        '    os.closerange(_STANDARD_STREAMS, number)\n    os.closerange(number + 1, os.sysconf("SC_OPEN_MAX"))\n',
        "",
        f"{_STAY}::test_only_the_runner_has_ever_seen_a_credential",
    ),
    "a parser has the connection of its parent": one(
        _PARENT,
        '    os.closerange(_STANDARD_STREAMS + 1, os.sysconf("SC_OPEN_MAX"))\n',
        "",
        f"{_HOSTILE}::test_it_has_no_open_file_but_the_connection",
    ),
    "what a parser prints is printed": one(
        _PARENT,
        "        os.dup2(nothing, stream)\n",
        "        pass\n",
        f"{_HOSTILE}::test_what_it_prints_is_not_printed",
    ),
    "what a parser has forked stays": one(
        _PARENT,
        '        if "namespaces" in in_force:\n            os.kill(-1, signal.SIGKILL)\n        else:\n'
        "            os.killpg(process, signal.SIGKILL)\n",
        "        pass\n",
        f"{_HOSTILE}::test_what_it_forks_ends_with_it",
    ),
    "prctl hides no memory": one(
        "dataset_jobs/host.py",
        "    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n",
        "",
        f"{_STAY}::test_a_runner_hides_its_memory_from_its_own_user",
    ),
    "a pod's runner hides no memory": one(
        "parser_runner/__main__.py", "    hide_memory()\n", "", f"{_STAY}::test_a_pods_runner_hides_its_memory"
    ),
    "a child hides no memory": one(
        "parser_runner/child.py", "    hide_memory()\n", "", f"{_STAY}::test_controller_and_children_hide_their_memory"
    ),
    "a controller of children hides no memory": one(
        "controller/on_one_machine.py",
        "    hide_memory()\n",
        "",
        f"{_STAY}::test_controller_and_children_hide_their_memory",
    ),
    "a child forks parsers when it knows its credentials": one(
        "parser_runner/child.py",
        "    os.environ.update(environment)\n",
        "    os.environ.update(environment)\n    _reusable.parsers = ParserParent.forked('/tmp')\n",
        f"{_STAY}::test_only_the_runner_has_ever_seen_a_credential",
    ),
    "a message of a parser is of any length": one(
        _PARSER, "recv_bytes(messages.MESSAGE_BYTES)", "recv_bytes()", f"{_HOSTILE}::test_a_message_is_bounded"
    ),
    "a parser logs without an end": one(
        _PARSER, "if self._lines <= _MOST_LINES:", "if True:", f"{_HOSTILE}::test_what_it_logs_is_bounded"
    ),
    "a parser's rows may drive a terminal": one(
        _PARSER,
        'if not self._understood(bytes.decode, block).replace("\\n", "").isprintable():',
        "if False:",
        f"{_HOSTILE}::test_its_rows_drive_no_terminal",
    ),
    "headings of brackets take quadratic time": one(
        "parser_runner/parsers/values.py",
        "    if not text or text[-1].isalpha():\n        return text\n    if text.ends",
        '    return re.sub(r"(?<=[^\\W\\d_]) ?(?:[0-9,]+|\\[[^\\]]*\\])$", "", text)\n    if text.ends',
        f"{_FILES}::test_headings_of_brackets_are_read_in_linear_time",
    ),
    "an odd date of a workbook is a crash": one(
        "parser_runner/parsers/workbook.py",
        "    except ValueError:\n        return text\n",
        "    except KeyError:\n        return text\n",
        _FILES,
    ),
    "an archive may hold two files of a name": one(
        "parser_runner/parsers/zip_directory.py",
        "if len({member.filename for member in members}) < len(members):",
        "if False:",
        _FILES,
    ),
    "an archive may hold any number of files": one(
        "parser_runner/parsers/zip_directory.py",
        "if len(members) > limits.zip_members:",
        "if False:",
        "tests/unit/test_containers.py",
    ),
    "an archive may be of any size": one(
        "parser_runner/parsers/zip_directory.py",
        "if unpacked > limits.unpacked_mib * MIB:",
        "if False:",
        "tests/unit/test_containers.py",
    ),
    "an archive may unpack to any number of times its size": one(
        "parser_runner/parsers/zip_directory.py",
        "if unpacked > MIB and unpacked > packed * limits.unpacked_ratio:",
        "if False:",
        "tests/unit/test_containers.py",
    ),
}
"""What was taken out, in words, and how."""
