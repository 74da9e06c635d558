"""What a command of the AWS command line interface would call, by its own parser and API models.

awscli 1.46 carries its own botocore; both are used here as a library that reads. A command goes
through the real tables of services, operations and options, the real argument parser, the real
shorthand and JSON syntax, and its parameters through botocore's validator. It stops there: the code
that makes a client is never reached, custom commands (`aws s3 cp`) end once their arguments are
parsed, and there is no session with credentials. What the CLI would look up is answered here: no
settings, aliases or variables of this machine count, and what a `file://` would hold stays unread
and is taken as fitting.

Trade-off: a few private names of a pinned release, against a grammar of our own that would be wrong
about thousands of operations. The validator knows types, required and unknown members and least
lengths, not allowed values; neither does the CLI before it calls. Reading is serialised by a lock,
since the parser writes to stderr.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from fmcourse.data.shell import unwrapped, words
from fmcourse.errors import DataError

_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)  # what a fileb:// holds, for arguments that look inside
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Call:
    """What a command would call.

    Attributes:
        service, operation: as typed; 'ec2' and 'wait instance-running'.
        options: names and values as the parser sees them, defaults included, in a fixed order: two
            commands that differ in order, quoting or spacing alone have equal ones.
        problem: why the parameters do not fit the API model; '' when they do, and for custom
            commands, which have none.
    """

    service: str
    operation: str
    options: tuple[tuple[str, str], ...]
    problem: str


def read(command: str) -> Call:
    """Parse a command; nothing is run, opened or looked up.

    Args:
        command: one line; white space, a code fence or backticks around it are taken off.

    Raises:
        DataError: a shell or the AWS CLI would not take it as one call; `what` says why.

    >>> call = read("aws ec2 describe-instances --max-items=5")
    >>> call.service, call.operation, call.problem
    ('ec2', 'describe-instances', '')
    >>> read("aws ec2 start-instances --instance-ids 5 --dry-run maybe")
    Traceback (most recent call last):
    ...
    fmcourse.errors.DataError: Unknown options: maybe
    """
    found = words(unwrapped(command))
    if found[:1] != ["aws"]:
        raise DataError("It does not begin with aws.")
    with _ONE_AT_A_TIME:
        tools = _tools()
        parsed, rest = _parse(tools.parser, found[1:])
        options = _options(parsed, "global ")
        try:
            tools.check_globals(parsed)
        except ValueError as error:
            raise DataError(_first_line(error)) from error
        service = parsed.command
        path, own, problem = _follow(tools, tools.commands[service], [service], rest, parsed)
        return Call(service, " ".join(path[1:]), tuple(sorted(options + own)), problem)


def operations() -> list[tuple[str, str, list[str], str]]:
    """Every command that calls one operation of an API; the CLI's own, such as `s3 cp`, do not.

    Returns:
        Of each its service, its operation, the options that the parser asks for, and its
        documentation (HTML).
    """
    with _ONE_AT_A_TIME:
        tools, found = _tools(), []
        for service, command in sorted(tools.commands.items()):
            if not isinstance(command, tools.Service):
                continue
            for name, below in sorted(command._get_command_table().items()):
                if isinstance(below, tools.Operation):
                    with tools.forgetting():
                        table, below._arg_table = below.arg_table, None  # thousands fill memory
                    needed = [f"--{option}" for option, argument in table.items()
                              if argument.required]
                    found.append((service, name, needed,
                                  below._operation_model.documentation or ""))
        return found


def _follow(tools: SimpleNamespace, command: Any, path: list[str], rest: list[str], top: Any
            ) -> tuple[list[str], list[tuple[str, str]], str]:
    """Down the tables of commands to the one that would run: its path, options and problem."""
    if isinstance(command, tools.Service):
        table = command._get_command_table()
        parsed, rest = _parse(tools.ServiceParser(table, path[-1]), rest)
        name = parsed.operation
        return _follow(tools, table[name], [*path, name], rest, top)
    if isinstance(command, tools.Operation):
        with tools.forgetting():
            command._arg_table = None  # made anew: what one command changed, the next never sees
            return path, *_operation(tools, command, path, rest, top)
    if isinstance(command, tools.Custom):
        return _custom(tools, command, path, rest, top)
    raise DataError("It asks for help.")


def _operation(tools: SimpleNamespace, command: Any, path: list[str], rest: list[str], top: Any
               ) -> tuple[list[tuple[str, str]], str]:
    """Options of an operation, and what its API model has against the parameters."""
    table, event = command.arg_table, ".".join(path)
    tools.session.emit(f"before-building-argument-table-parser.{event}", argument_table=table,
                       args=rest, session=tools.session, parsed_globals=top)
    parser = tools.Parser(table)
    parser.add_argument("help", nargs="?")
    parsed, unknown = _parse(parser, rest)
    asked = parsed.help
    if asked == "help":
        raise DataError("It asks for help.")
    if unknown or asked:
        raise DataError(f"Unknown options: {', '.join([*unknown, *filter(None, [asked])])}")
    options = _options(parsed)
    if getattr(parsed, "generate_cli_skeleton", None):
        return options, "It prints a skeleton and calls nothing."
    whole = getattr(parsed, "cli_input_json", None)
    parsed.cli_input_json = None  # the CLI would open a file that it names
    try:
        tools.session.emit(f"operation-args-parsed.{event}", parsed_args=parsed,
                           parsed_globals=top)
        unread = _set_files_aside(tools, table, parsed)
        parameters = command._build_call_parameters(parsed, table, top)
        if whole is not None and not _is_file(whole):
            parameters = {**json.loads(whole), **parameters}
        model = command._operation_model  # what botocore itself adds: defaults, tokens, encodings
        service_id = model.service_model.service_id.hyphenize()
        tools.session.emit(f"before-parameter-build.{service_id}.{model.name}", params=parameters,
                           model=model, context={})
    except Exception as error:  # whatever the CLI's own code makes of a strange value
        return options, _first_line(error) or type(error).__name__
    shape = model.input_shape
    if _is_file(whole) and shape:
        unread |= set(shape.members)
    return options, _unfit(tools, shape, parameters, unread)


def _custom(tools: SimpleNamespace, command: Any, path: list[str], rest: list[str], top: Any
            ) -> tuple[list[str], list[tuple[str, str]], str]:
    """A command of the CLI's own, such as `s3 cp`: parsed, never run."""
    below, table = command.subcommand_table, command.arg_table  # the first may add to the second
    parsed, unknown = _parse(tools.Parser(table, below), rest)
    if getattr(parsed, "help", None):
        raise DataError("It asks for help.")
    name = getattr(parsed, "subcommand", None)
    if name:
        return _follow(tools, below[name], [*path, name], unknown, top)
    if unknown:
        raise DataError(f"Unknown options: {', '.join(unknown)}")
    if below and not table and path != ["configure"]:  # which does something by itself, too
        raise DataError(f"It names no subcommand of {path[-1]}.")
    return path, _options(parsed), ""


def _unfit(tools: SimpleNamespace, shape: Any, parameters: dict[str, Any], unread: set[str]) -> str:
    """The first thing that an API model has against parameters; '' if it has nothing.

    Members are validated one by one, since one that a file would hold is taken as fitting.
    """
    members = shape.members if shape else {}
    for name, value in parameters.items():
        if name in members:
            report = tools.validator.validate(value, members[name])
            if report.has_errors():
                return f"{name}: {_first_line(report.generate_report())}"
        elif name != "PaginationConfig":  # the CLI's own, for pages
            return f"There is no parameter {name}."
    for name in shape.required_members if shape else ():
        if name not in parameters and name not in unread:
            return f"The parameter {name} is missing."
    return ""


def _parse(parser: Any, arguments: list[str]) -> tuple[Any, list[str]]:
    """argparse without its habit of printing and leaving the program."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            return parser.parse_known_args(arguments)
    except SystemExit as leaving:
        _, _, message = printed.getvalue().partition(": error: ")
        said = message.partition("\n")[0].removesuffix(", valid choices are:")
        raise DataError(said or "It prints the version.") from leaving


def _options(parsed: Any, kind: str = "") -> list[tuple[str, str]]:
    return [(kind + name, repr(value)) for name, value in vars(parsed).items()]


def _is_file(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("file://", "fileb://"))


def _first_line(error: object) -> str:
    lines = [line for line in str(error).splitlines() if line != "Parameter validation failed:"]
    return lines[0][:200] if lines else ""


def _set_files_aside(tools: SimpleNamespace, table: Any, parsed: Any) -> set[str]:
    """Take what files would hold out of parsed arguments, before the CLI's code would open them.

    Returns the parameters they would have become. The shorthand syntax opens files, too, inside
    values (`key@=file://…`). An argument that isn't simply a parameter gets an empty archive for
    `fileb://` and the path itself for `file://`; one that names a file of this machine, nothing.
    """
    unread = set()
    for argument in table.values():
        value = getattr(parsed, argument.py_name, None)
        values = value if isinstance(value, list) else [value]
        nested = any(isinstance(text, str) and "@=" in text for text in values)
        is_file = len(values) == 1 and _is_file(values[0])
        model = argument.argument_model
        simple = isinstance(argument, tools.Argument)
        if isinstance(argument, tools.local):
            setattr(parsed, argument.py_name, None)
            continue
        if is_file and values[0].startswith("fileb://") and simple and model.type_name != "blob":
            raise DataError(f"{argument.cli_name}: fileb:// is bytes, not a {model.type_name}.")
        if simple and (is_file or (nested and model.type_name in ("structure", "list", "map"))):
            unread.add(argument._serialized_name)
            setattr(parsed, argument.py_name, None)
        elif nested and not simple:
            raise DataError(f"{argument.cli_name}: a file inside this value is not read.")
        elif is_file and values[0].startswith("fileb://"):
            setattr(parsed, argument.py_name, _EMPTY_ZIP)
    return unread


@cache
def _tools() -> SimpleNamespace:
    """The CLI's parts, imported when first needed (about a second) and made once."""
    before = os.environ.get("AWS_DATA_PATH")
    from awscli.argparser import ArgTableArgParser, ServiceArgParser
    from awscli.arguments import CLIArgument
    from awscli.clidriver import CLIDriver, ServiceCommand, ServiceOperation
    from awscli.customizations.arguments import StatefulArgument
    from awscli.customizations.commands import BasicCommand
    from awscli.customizations.ec2.decryptpassword import LaunchKeyArgument
    from awscli.customizations.globalargs import resolve_types
    from awscli.plugin import load_plugins
    from botocore.validate import ParamValidator

    os.environ.pop("AWS_DATA_PATH", None)  # importing awscli sets it, for child processes as well
    if before is not None:
        os.environ["AWS_DATA_PATH"] = before
    emitter = _emitter()
    session = _session(emitter)
    load_plugins({}, event_hooks=session.get_component("event_emitter"))
    driver = CLIDriver(session)
    commands = driver._get_command_table()
    return SimpleNamespace(
        session=session, forgetting=emitter.forgetting, commands=commands,
        parser=driver._create_parser(commands), check_globals=resolve_types,
        validator=ParamValidator(), Service=ServiceCommand,
        Operation=ServiceOperation, Custom=BasicCommand, Argument=CLIArgument,
        Parser=ArgTableArgParser, ServiceParser=ServiceArgParser,
        local=(StatefulArgument, LaunchKeyArgument))


def _emitter() -> Any:
    """Events whose handlers can be forgotten: those that a command registers for its own run."""
    from botocore.hooks import HierarchicalEmitter

    class Forgetful(HierarchicalEmitter):
        def __init__(self) -> None:
            super().__init__()
            self._fresh: list[tuple[Any, ...]] = []

        def _register_section(self, *registered: Any, section: Any) -> None:
            if registered[2] not in self._unique_id_handlers:  # else it stays what it was
                self._fresh.append(registered)
            super()._register_section(*registered, section=section)

        @contextlib.contextmanager
        def forgetting(self) -> Iterator[None]:
            self._fresh = []
            try:
                yield
            finally:
                for registered in self._fresh:
                    self.unregister(*registered)

    return Forgetful()


def _session(emitter: Any) -> Any:
    """A botocore session without this machine: no variables, no files but the models it ships."""
    import awscli
    from botocore.loaders import Loader
    from botocore.session import Session

    class Offline(Session):
        @property
        def full_config(self) -> dict[str, Any]:
            return {"profiles": {}}

        def get_config_variable(self, logical_name: str, methods: object = None) -> Any:
            return {} if logical_name == "api_versions" else None

        def _register_data_loader(self) -> None:  # the usual one also looks into ~/.aws
            paths = [Loader.BUILTIN_DATA_PATH, os.path.join(awscli.__path__[0], "data")]
            self._components.register_component("data_loader", Loader(
                paths, include_default_search_paths=False))

    return Offline(event_hooks=emitter)
