"""``make audit``: ask OSV for known vulnerabilities of every version in the lock, with pip-audit.

Exit status: 0 if all were asked for and none is known, else 1. pip-audit leaves out what is not for this machine's
Python and processor, so it gets the versions without their markers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.supply.lock import BUILD_LOCK, LOCK, LOCK_32, Locked, read


class AuditError(Exception):
    """The audit is not complete, so it says nothing; one line."""


def main() -> int:
    """Print what is known, or one line that says why nothing can be said."""
    parser = argparse.ArgumentParser(prog="python -m tests.supply.audit", description=__doc__)
    parser.add_argument("--osv-url", default="", help="another OSV service than pip-audit's default")
    arguments = parser.parse_args()
    try:
        versions = {(one.name, one.version): one for path in (LOCK, LOCK_32, BUILD_LOCK) for one in read(path)}
        found = [line for part in rounds(versions.values()) for line in ask(part, arguments.osv_url)]
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    for line in found:
        print(line)
    print(f"audit: {len(versions)} versions asked for, {len(found)} known vulnerabilities")
    return 1 if found else 0


def rounds(versions: Iterable[Locked]) -> list[list[Locked]]:
    """The versions in lists that have each package once, as pip-audit wants it."""
    parts: list[list[Locked]] = []
    for one in versions:
        free = next((part for part in parts if one.name not in {other.name for other in part}), None)
        if free is None:
            parts.append([one])
        else:
            free.append(one)
    return parts


def ask(versions: list[Locked], osv_url: str = "") -> list[str]:
    """A line for each known vulnerability. Raises AuditError if one version was not asked for."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--strict", "--progress-spinner", "off"]
    command += ["--format", "json", "--vulnerability-service", "osv", *(["--osv-url", osv_url] if osv_url else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "versions.txt")
        lines = [
            " ".join([f"{one.name}=={one.version}", *(f"--hash={digest}" for digest in one.hashes)]) for one in versions
        ]
        path.write_text("\n".join(lines), "utf-8")
        # Without its cache: an answer of last week is not one of today.
        command += ["--requirement", str(path), "--cache-dir", folder]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1].rpartition("(Caused by ")[2]
        raise AuditError(f"nothing can be said, as the service did not answer ({reason[:160]})") from error
    asked = {(canonicalize_name(one["name"]), one.get("version")) for one in answers if "skip_reason" not in one}
    if skipped := [f"{one.name} {one.version}" for one in versions if (one.name, one.version) not in asked]:
        raise AuditError(f"not complete: {', '.join(skipped)} skipped")
    return [
        f"{one['name']} {one['version']}: {known['id']}, fixed in {', '.join(known['fix_versions']) or 'no version'}"
        for one in answers
        for known in one["vulns"]
    ]


if __name__ == "__main__":
    raise SystemExit(main())
