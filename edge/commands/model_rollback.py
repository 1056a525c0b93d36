"""``edge model rollback``: put back the model that was used before."""

from __future__ import annotations

import argparse

from edge.commands.arguments import Parser, add_settings, settings_of, state_folder_of

EXAMPLES = """examples:
  edge model rollback --model mnist.tflite
  sudo /opt/edge-digits/bin/edge model rollback --config /etc/edge-digits/edge.toml    the service's
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    add_settings(parser, only=("model", "state"))


def run(arguments: argparse.Namespace) -> int:
    """Put the previous model back; a running service notices by itself."""
    from edge.model.registry import rollback

    settings = settings_of(arguments)
    path, name = rollback(state_folder_of(settings), settings.model)
    print(f"{path}: {name} is there again; where edge run reads with this file, it takes it within seconds")
    return 0
