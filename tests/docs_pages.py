"""The pages of the guide, and the parts of them that are generated: ``python -m tests.docs_pages`` writes these anew.

A page of ``docs/`` has a generated part between ``<!-- generated: NAME -->`` and ``<!-- end -->``. The rest of it is
written by hand. What is generated does not depend on the version of Python.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
while not (ROOT / "pyproject.toml").exists():
    ROOT = ROOT.parent
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
"""All that a user reads."""
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SCHEMAS = ("edge/schema", "convert/schema")
FIRST = ("reading", "event", "notice", "mqtt", "stats")
"""The schemas that most people look for, in this order; the others follow."""
OPERATIONS = ("get", "put", "post", "delete")


def blocks(language: str, pages: Iterable[Path] = PAGES) -> list[str]:
    """The code blocks of that language in these pages."""
    found = [block for page in pages for block in BLOCK.findall(page.read_text("utf-8"))]
    return [text for name, text in found if name == language]


def written(page: Path) -> str:
    """A page's text with its generated parts as the code has them now."""
    parts = generated()

    def part(found: re.Match[str]) -> str:
        return f"{found[1]}\n{parts[found[2]]().strip()}\n\n{found[3]}"

    return PART.sub(part, page.read_text("utf-8"))


def generated() -> dict[str, Callable[[], str]]:
    """The name of each generated part, and what makes it."""
    return {
        "settings": settings_table,
        "edge-commands": edge_commands,
        "convert-commands": convert_commands,
        "http-api": http_api,
        "http-schemas": http_schemas,
        "json-schemas": json_schemas,
    }


# --- settings


def settings_table() -> str:
    """A table of all settings, and the name of each one's environment variable."""
    from edge.settings import markdown

    return markdown()


# --- commands


def edge_commands() -> str:
    """``edge`` and each command of it, as ``--help`` has it."""
    from edge.cli import main

    return "\n\n".join(_command(parser) for parser in _all_parsers(main))


def convert_commands() -> str:
    """``edge-convert``, ``edge-convert adopt``, ``edge-convert inspect``, ``edge-train`` and ``edge-train belief``."""
    from convert.cli import convert_main, train_main

    parsers = (
        _parser(convert_main), _parser(convert_main, "adopt"), _parser(convert_main, "inspect"), _parser(train_main),
        _parser(train_main, "belief"),
    )  # fmt: skip
    return "\n\n".join(_command(parser) for parser in parsers)


def _parser(main: Callable[[list[str]], Any], *words: str) -> argparse.ArgumentParser:
    """The parser that answers ``--help`` to these words."""
    asked: list[argparse.ArgumentParser] = []
    answer = argparse.ArgumentParser.print_help
    argparse.ArgumentParser.print_help = lambda parser, file=None: asked.append(parser)  # type: ignore[method-assign]
    try:
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            main([*words, "--help"])
    finally:
        argparse.ArgumentParser.print_help = answer  # type: ignore[method-assign]
    return asked[0]


def _all_parsers(main: Callable[[list[str]], Any], *words: str) -> Iterator[argparse.ArgumentParser]:
    """The parser of each command that does something, in the order of the help."""
    parser = _parser(main, *words)
    inner = [name for action in parser._actions if isinstance(action.choices, Mapping) for name in action.choices]
    for name in inner:
        yield from _all_parsers(main, *words, name)
    if not inner:
        yield parser


def _command(parser: argparse.ArgumentParser) -> str:
    """A section: what it does, its arguments and flags, its settings, its examples."""
    named = [action for action in parser._actions if not action.option_strings]
    usage = parser.usage or " ".join(
        [parser.prog, "[options]", *(str(action.metavar or action.dest) for action in named)]
    )
    lines = [f"## {parser.prog}", "", parser.description or "", "", "```text", _level(usage, parser.prog), "```", ""]
    rows = [
        f"| {_named(action)} | {_meaning(parser, action)} |"
        for action in [*named, *(action for action in parser._actions if action.option_strings)]
        if action.dest not in ("help", "debug")
        and not _setting(parser, action)
        and action.help is not argparse.SUPPRESS
    ]
    if rows:
        lines += ["| argument or flag | what it does |", "|---|---|", *rows, ""]
    taken = [name for action in parser._actions if (name := _setting(parser, action))]
    if len(taken) > 5:
        without = [f"`{name}`" for name in _settings() if name not in taken]
        all_but = f"all except {', '.join(without)}" if without else "all of them"
        lines += [f"[Settings](settings.md) that it takes as flags: {all_but}.", ""]
    elif taken:
        lines += [f"[Settings](settings.md) that it takes as flags: {', '.join(f'`--{name}`' for name in taken)}.", ""]
    if parser.epilog and (examples := parser.epilog.partition("examples:\n")[2]):
        lines += ["```text", *(line.removeprefix("  ") for line in examples.rstrip().splitlines()), "```", ""]
    return "\n".join(lines).strip()


def _settings() -> list[str]:
    from edge.settings import all_settings

    return [setting.name for setting in all_settings()]


def _setting(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The setting that a flag of ``edge`` sets, or nothing."""
    if parser.prog.partition(" ")[0] != "edge":
        return ""
    names = [flag.removeprefix("--") for flag in action.option_strings]
    return next((name for name in names if name in _settings()), "")


def _level(usage: str, prog: str) -> str:
    """A usage of several lines, each beginning with the command."""
    return "\n".join(line.strip() % {"prog": prog} for line in usage.splitlines())


def _named(action: argparse.Action) -> str:
    """``-o FILE``, ``--output FILE``, or the argument's own name."""
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    if action.nargs == 0:
        return ", ".join(f"`{flag}`" for flag in action.option_strings)
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    value = action.metavar or choices or action.dest.upper()
    return _cell(", ".join(f"`{flag} {value}`" for flag in action.option_strings))


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    return _cell(" ".join(text.split()))


# --- HTTP


def _described() -> dict[str, Any]:
    from edge.web.app import description

    return description()


def http_api() -> str:
    """Each path and method: what it does, takes and answers."""
    return "\n\n".join(
        _operation(path, method, operations[method])
        for path, operations in _described()["paths"].items()
        for method in OPERATIONS
        if method in operations
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    lines = [f"### {method.upper()} {path}", "", f"{operation['summary'].rstrip('.')}.", ""]
    if body := operation.get("requestBody"):
        lines += [f"- Body: {_contents(body['content'])}"]
    for status, answer in operation["responses"].items():
        if status == "default":
            continue
        said = "" if answer["description"] == operation["summary"] else f" {answer['description'].lower()}:"
        lines += [f"- Answer {status}:{said} {_contents(answer.get('content', {})) or 'nothing'}"]
    lines += [""]
    if parameters := operation.get("parameters"):
        lines += ["| parameter | in | type | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {_cell(one.get('description', ''))} |"
            for one in parameters
        ]
    return "\n".join(lines).strip()


def _contents(content: dict[str, Any]) -> str:
    return "; ".join(f"`{kind}`{_of(found['schema'])}" for kind, found in content.items())


def _of(schema: dict[str, Any]) -> str:
    text = _type(schema)
    return "" if text == "string" else f", {text}"


def http_schemas() -> str:
    """The fields of each object that is sent or answered."""
    objects = _described()["components"]["schemas"]
    return "\n\n".join(f"### {name}\n\n{_fields(schema)}" for name, schema in objects.items())


# --- JSON schemas


def json_schemas() -> str:
    """Each schema file: what it describes, and a table of its fields."""
    files = [path for folder in SCHEMAS for path in sorted((ROOT / folder).glob("*.json"))]
    files.sort(key=lambda path: FIRST.index(path.stem) if path.stem in FIRST else len(FIRST))
    return "\n\n".join(map(_schema, files))


def _schema(path: Path) -> str:
    schema = json.loads(path.read_text("utf-8"))
    where = path.relative_to(ROOT).as_posix()
    return f"## {schema['title']}\n\n{schema['description']}\n\nFile: `{where}`\n\n{_fields(schema)}"


def _fields(schema: dict[str, Any]) -> str:
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *_rows(schema)])


def _rows(schema: dict[str, Any], before: str = "") -> Iterator[str]:
    """A row for each field, and for those of the objects in it: ``digits[].box``."""
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        meaning = field.get("description", "") + ("" if name in needed or not needed else " (optional)")
        if before and not meaning:
            continue  # as p50, p95 and p99 of each stage
        yield f"| `{before}{name}` | {_type(field)} | {_cell(meaning.strip())} |"
        items = field.get("items")
        if isinstance(items, dict):
            yield from _rows(items, f"{before}{name}[].")
        else:
            yield from _rows(field, f"{before}{name}.")


def _type(schema: dict[str, Any]) -> str:
    """A type as people say it: ``integer, 0 to 9``, ``list of Reading``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if name[0].isupper() else "object"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kinds = schema.get("type", "any")
    text = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if text == "array":
        items = schema.get("items")
        kind = _type(items) if isinstance(items, dict) and items else ""
        return f"list of {kind}{'s' if kind.isalpha() else ''}" if kind else "list"
    limits = (schema.get("minimum"), schema.get("maximum"))
    if None not in limits:
        return f"{text}, {limits[0]} to {limits[1]}"
    return text if limits[0] is None else f"{text}, {limits[0]} or more"


def _cell(text: str) -> str:
    """As a cell of a table may have it."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def main() -> None:
    """Write the generated parts of all pages anew."""
    for page in PAGES:
        if (text := written(page)) != page.read_text("utf-8"):
            page.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
