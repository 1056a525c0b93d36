"""``make sbom``: list what the service installs, as CycloneDX JSON: ``python -m tests.supply.sbom FILE``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from edge.system.version import __version__
from tests.supply.declared import ROOT
from tests.supply.lock import LOCK


def sbom() -> dict[str, Any]:
    """The lock as a CycloneDX document; the same lock gives the same document."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(LOCK), "--output-reproducible"]
    command += ["--pyproject", str(ROOT / "pyproject.toml")]
    # It warns that a lock does not say which package needs which.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=quiet).stdout
    document: dict[str, Any] = json.loads(text)
    # The version is not in pyproject.toml itself.
    document["metadata"]["component"]["version"] = __version__
    for component in document["components"]:
        # It is the whole line of the lock.
        component.pop("description", None)
    return document


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(sbom(), indent=1) + "\n", "utf-8")
