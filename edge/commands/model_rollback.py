"""``edge model rollback``: restore the model that was used before."""

from __future__ import annotations

import argparse

from edge.commands.arguments import Parser, add_settings, settings_of, state_folder_of

EXAMPLES = """examples:
  edge model rollback --model mnist.tflite
  sudo /opt/edge-digits/bin/edge model rollback --config /etc/edge-digits/edge.toml    for the service
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    add_settings(parser, only=("model", "state"))


def run(arguments: argparse.Namespace) -> int:
    """Put the previous model in place of the file; a running ``edge run`` notices that."""
    from edge.model.registry import rollback

    settings = settings_of(arguments)
    path, name = rollback(state_folder_of(settings), settings.model)
    print(f"{path}: {name} is restored; an edge run that uses this file takes it within seconds")
    return 0
