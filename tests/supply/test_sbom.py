"""The SBOM lists each locked version once, with its hashes, and the same each time."""

from __future__ import annotations

import pytest

from edge.system.version import __version__
from tests.supply.lock import LOCK, read

pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed here; make check brings it")


def test_it_lists_what_is_locked() -> None:
    from tests.supply.sbom import sbom

    document = sbom()
    assert document["bomFormat"] == "CycloneDX"
    about = document["metadata"]["component"]
    assert (about["name"], about["version"]) == ("edge-digits", __version__)
    listed = {part["purl"]: part for part in document["components"]}
    locked = {f"pkg:pypi/{one.name}@{one.version}": one for one in read(LOCK)}
    assert listed.keys() == locked.keys() and len(document["components"]) == len(locked)
    for purl, one in locked.items():
        hashes = {digest["content"] for place in listed[purl]["externalReferences"] for digest in place["hashes"]}
        assert hashes == {digest.removeprefix("sha256:") for digest in one.hashes}
    assert "timestamp" not in document["metadata"] and document == sbom()
