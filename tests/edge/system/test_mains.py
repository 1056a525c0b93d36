"""The frequency of the mains, on the time zone database of this machine."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import available_timezones

import pytest

from edge.system.mains import BOTH, SIXTY, mains_hertz

ZONEINFO = Path("/usr/share/zoneinfo")
needs_database = pytest.mark.skipif(not (ZONEINFO / "zone.tab").exists(), reason="tzdata is not installed here")


def machine(root: Path, zone: str = "", *, copied: bool = False) -> Path:
    """A root of a machine with this machine's time zone database, set to ``zone``."""
    (root / "etc").mkdir()
    (root / "usr/share").mkdir(parents=True)
    (root / "usr/share/zoneinfo").symlink_to(ZONEINFO)
    if copied:
        (root / "etc/localtime").write_bytes(b"TZif2")
        (root / "etc/timezone").write_text(f"{zone}\n")
    elif zone:
        (root / "etc/localtime").symlink_to(f"/usr/share/zoneinfo/{zone}")
    return root


@needs_database
@pytest.mark.parametrize(
    ("zone", "hertz"),
    [
        ("Europe/London", 50),
        ("Europe/Berlin", 50),
        ("Australia/Sydney", 50),
        ("Asia/Kolkata", 50),
        ("America/Argentina/Buenos_Aires", 50),
        ("America/Jamaica", 50),
        ("America/New_York", 60),
        ("America/Sao_Paulo", 60),
        ("America/Antigua", 60),
        ("Asia/Manila", 60),
        ("Asia/Seoul", 60),
        ("Asia/Riyadh", 60),
        ("US/Eastern", 60),
        ("GB", 50),
        ("Asia/Tokyo", None),
        ("Etc/UTC", None),
        ("Nowhere/At_All", None),
        ("../../etc/passwd", None),
    ],
)
def test_the_time_zone_tells_the_frequency(zone: str, hertz: int | None, tmp_path: Path) -> None:
    assert mains_hertz(machine(tmp_path, zone), {}) == hertz
    assert mains_hertz(Path("/"), {"TZ": f":{zone}"}) == hertz
    assert mains_hertz(Path("/"), {"TZ": f"/usr/share/zoneinfo/{zone}"}) == hertz


@needs_database
def test_a_copied_localtime_has_its_name_in_another_file(tmp_path: Path) -> None:
    assert mains_hertz(machine(tmp_path, "America/Lima", copied=True), {}) == 60


@needs_database
def test_where_the_time_zone_has_no_country_the_locale_tells(tmp_path: Path) -> None:
    root = machine(tmp_path, "Etc/UTC")
    assert mains_hertz(root, {"LANG": "en_GB.UTF-8"}) == 50
    assert mains_hertz(root, {"LANG": "en_GB.UTF-8", "LC_ALL": "en_US.UTF-8"}) == 60
    assert mains_hertz(root, {"LANG": "de_DE@euro"}) == 50
    assert mains_hertz(root, {"LANG": "ja_JP.UTF-8"}) is None
    for locale in ("C", "C.UTF-8", "POSIX", "", "eo"):
        assert mains_hertz(root, {"LANG": locale}) is None


@needs_database
def test_the_time_zone_is_believed_before_the_locale(tmp_path: Path) -> None:
    assert mains_hertz(machine(tmp_path, "Europe/Paris"), {"LANG": "en_US.UTF-8"}) == 50


def test_merged_zones_tell_only_where_their_countries_agree(tmp_path: Path) -> None:
    (tmp_path / "usr/share/zoneinfo").mkdir(parents=True)
    table = "# comment\nPA,CA,KY\t+0858-07932\tAmerica/Panama\nPR,GD\t+182806-0660622\tAmerica/Puerto_Rico\tmixed\n"
    (tmp_path / "usr/share/zoneinfo/zone1970.tab").write_text(table)
    assert mains_hertz(tmp_path, {"TZ": "America/Panama"}) == 60
    assert mains_hertz(tmp_path, {"TZ": "America/Puerto_Rico"}) is None
    assert mains_hertz(tmp_path, {"TZ": "America/Puerto_Rico", "LANG": "es_PR.UTF-8"}) == 60


def test_a_machine_without_a_database_knows_nothing(tmp_path: Path) -> None:
    assert mains_hertz(tmp_path, {}) is None


@needs_database
def test_each_country_of_the_lists_is_in_the_database() -> None:
    """A wrong code would never be found."""
    known = {line[:2] for line in (ZONEINFO / "iso3166.tab").read_text("utf-8").splitlines() if line[:1] != "#"}
    assert known >= {*SIXTY.split(), BOTH}
    assert BOTH not in SIXTY.split()


@needs_database
def test_nearly_each_zone_of_a_city_tells(tmp_path: Path) -> None:
    """Also under its old names, where the database has them."""
    cities = [zone for zone in available_timezones() if zone.startswith(("America/", "Asia/", "Europe/", "Africa/"))]
    silent = {zone for zone in cities if mains_hertz(Path("/"), {"TZ": zone}) is None}
    assert silent <= {"Asia/Tokyo"}, silent
