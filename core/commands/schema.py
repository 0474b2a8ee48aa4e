"""`python -m core schema [COMMAND]`: the JSON Schema of the commands' output. Knows the command line only."""

from core import schema
from core.commands import emit, parser
from core.errors import Problem
from core.text import one_line


def main(argv: list[str]) -> int:
    """Print the schema of one command, or of all. Raises Problem on a command without one."""
    options = parser("schema", "The JSON Schema of every command's output.")
    options.add_argument("command", nargs="*", help="such as ask, or project show; left out: all")
    given = options.parse_args(argv)
    name = " ".join(given.command)
    if name and name not in schema.OUTPUTS:
        raise Problem(f"There is no schema of '{one_line(name, 40)}'. Schemas: {', '.join(schema.OUTPUTS)}.")
    emit(schema.schema(name) if name else {"version": schema.VERSION, "commands": schema.every()})
    return 0
