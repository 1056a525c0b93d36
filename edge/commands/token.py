"""``edge token``: show the links that open the live page from another machine."""

from __future__ import annotations

import argparse
import platform

from edge.commands.arguments import Parser, add_settings, settings_of
from edge.settings import Settings

EXAMPLES = """examples:
  edge token                                              the links, with the tokens in them
  edge token --renew                                      if someone has a token or a browser who should not
  sudo /opt/edge-digits/bin/edge token --config /etc/edge-digits/edge.toml    links of the service
"""


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "--renew",
        "--new",
        action="store_true",
        help="make new tokens; the old ones stop working at once, and all browsers are logged out",
    )
    add_settings(parser, only=("state", "web", "web_cert"))


def run(arguments: argparse.Namespace) -> int:
    """Print a link with each token in it. What follows the # is never sent over the network."""
    from edge.system import state_folder
    from edge.web.tokens import load_tokens, renew_tokens

    settings = settings_of(arguments)
    # Tokens in the wrong state folder would open nothing.
    state_folder.check_unambiguous(settings.state, "token --renew" if arguments.renew else "token", arguments.config)
    folder = state_folder.create(settings.state)
    given = renew_tokens(folder) if arguments.renew else load_tokens(folder)
    for what, token in (("view only", given.view), ("view and change", given.change)):
        print(f"{what}: {page_url(settings)}#token={token}")
    return 0


def page_url(settings: Settings) -> str:
    """The address of the live page, by this machine's name where it listens on all its addresses."""
    host, _, port = (settings.web or "HOST:8080").rpartition(":")
    if host in ("0.0.0.0", "[::]"):
        host = platform.node()
    return f"{'https' if settings.web_cert else 'http'}://{host}:{port}/"
