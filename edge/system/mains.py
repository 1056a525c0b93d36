"""The frequency of the mains where this machine is: lamps flicker at twice that, which makes bands in a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

Hertz = Literal[50, 60]
"""A frequency of the mains."""

SIXTY = (
    "AG AI AS AW BL BM BR BS BZ CA CO CR CU DO EC FM GT GU GY HN HT KN KR KY MF MH MP MS MX NI PA PE PF PH PR PW SA SR "
    "SV SX TC TT TW UM US VE VG VI"
)
"""Countries (ISO 3166-1) whose mains have 60 Hz. Source: IEC, World Plugs, as in Wikipedia, "Mains electricity by
country". Chromium finds the frequency in the same way: VideoCaptureDevice::GetPowerLineFrequencyForLocation."""
BOTH = "JP"
"""The country that has 50 Hz in one part and 60 Hz in another (same source)."""
ZONEINFO = Path("usr/share/zoneinfo")
"""The folder of the time zone database, in the root of the file system."""


def mains_hertz(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> Hertz | None:
    """50 or 60, by the country of the time zone or else of the locale; None if neither tells.

    Not known: UTC, the locale C, and Japan, which has both. ``root`` is the root of the file system, for tests.
    """
    countries = _countries(_time_zone(root, environment), root / ZONEINFO)
    found = {_of(country) for country in countries}
    if len(found) != 1:
        # No country, or a zone of several countries that differ.
        return _of(_locale_country(environment))
    return found.pop()


def _of(country: str) -> Hertz | None:
    if not country or country == BOTH:
        return None
    return 60 if country in SIXTY.split() else 50


def _time_zone(root: Path, environment: Mapping[str, str]) -> str:
    """The name of the time zone, such as ``Europe/London``; empty if it has none."""
    if name := environment.get("TZ", "").removeprefix(":"):
        return name.partition("zoneinfo/")[2] or name
    try:
        # localtime(5): a symbolic link into the database.
        return str((root / "etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        # It may also be a copy. Debian then has the name in a file of its own.
        return _text(root / "etc/timezone").strip()


def _countries(zone: str, database: Path) -> list[str]:
    """The countries of a time zone, as ISO 3166-1 codes; none for UTC and the like."""
    # zone.tab has one country a zone; only zone1970.tab will be there one day, with all countries of merged zones.
    for table in ("zone.tab", "zone1970.tab"):
        for line in _text(database / table).splitlines():
            row = line.split("\t")
            if zone and row[2:3] == [zone]:
                return row[0].split(",")
    # An old name, such as US/Eastern, is a link: "L America/New_York US/Eastern".
    for line in _text(database / "tzdata.zi").splitlines():
        if line.startswith("L ") and (words := line.split())[2:] == [zone]:
            return _countries(words[1], database)
    return []


def _locale_country(environment: Mapping[str, str]) -> str:
    """The country of the locale: ``GB`` of ``en_GB.UTF-8``; empty for ``C.UTF-8``."""
    # locale(7): LC_ALL overrides the others.
    locale = environment.get("LC_ALL") or environment.get("LANG") or ""
    country = locale.partition(".")[0].partition("@")[0].partition("_")[2]
    return country if len(country) == 2 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
