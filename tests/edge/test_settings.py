import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import settings
from edge.errors import SettingsError
from edge.reading.reader import MIN_CONFIDENCE
from edge.settings import Settings, all_settings, load_settings
from edge.store.settings import StoreSettings
from edge.tracking.settings import TrackSettings
from edge.vision.settings import VisionSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def toml(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(text: str) -> Path:
        (tmp_path / "edge.toml").write_text(text)
        return tmp_path / "edge.toml"

    return write


def test_defaults_are_those_declared() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert settings.vision == VisionSettings()
    assert settings.track == TrackSettings()
    assert settings.store == StoreSettings()
    for info in all_settings():
        value = settings
        for part in info.name.split("."):
            value = getattr(value, part)
        assert value == info.default
        assert info.description


def test_the_reader_alone_has_the_same_defaults() -> None:
    assert load_settings().min_confidence == MIN_CONFIDENCE


def test_a_flag_beats_the_environment_beats_the_file(toml, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    path = toml("threads = 2\n[vision]\nmedian = 7\nlevel = 100\nfaint = 60\n")
    monkeypatch.setenv("EDGE_VISION__MEDIAN", "5")
    monkeypatch.setenv("EDGE_VISION__LEVEL", "110")
    settings = load_settings(path, {"vision.level": "120"})
    assert settings.threads == 2
    assert (settings.vision.faint, settings.vision.median, settings.vision.level) == (60, 5, 120)


@pytest.mark.parametrize("text", ['publish = "jsonl:-"', 'publish = ["jsonl:-"]'])
def test_one_publisher_needs_no_list(toml, text: str) -> None:  # type: ignore[no-untyped-def]
    assert load_settings(toml(text)).publish == ("jsonl:-",)


def test_several_publishers_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_PUBLISH", "jsonl:- jsonl:out.jsonl")
    assert load_settings().publish == ("jsonl:-", "jsonl:out.jsonl")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[vision]\nmedain = 3", "vision.medain: no such setting; did you mean 'vision.median'"),
        ("[visoin]\nmedian = 3", "did you mean 'vision.median'"),
        ("thread = 3", "did you mean 'threads'"),
        ("[vision]\nmedian = 99", "vision.median: 99: .*0 to 15"),
        ('[vision]\nthreshold = "ots"', "'ots'.*one of hysteresis, global, otsu"),
        ('threads = "many"', "threads: 'many'.*0 to 64"),
        ("min_confidence = 2", "min_confidence: 2.*0 to 1"),
        ("vision = 3", "vision: 3"),
        ("[track]\nhold = -1", "track.hold: -1.*0 to 3600"),
        ("[track]\ndwel = 1", "did you mean 'track.dwell'"),
        ("[store]\nrows = 5", "store.rows: 5.*100 to 10000000"),
        ("threads =", "is not valid TOML"),
        ('source = ["rtsp://joe:pw@shed/live"]', "source: what is given: input should be a valid string"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(toml, text: str, words: str) -> None:  # type: ignore[no-untyped-def]
    path = toml(text)
    with pytest.raises(SettingsError, match=words) as error:
        load_settings(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: no such file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_settings(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EDGE_VISION__MEDAIN", "3", "did you mean 'EDGE_VISION__MEDIAN'"),
        ("EDGE_THRAEDS", "3", "did you mean 'EDGE_THREADS'"),
        ("EDGE_VISION__MEDIAN", "three", "environment: vision.median: 'three'"),
    ],
)
def test_a_wrong_variable_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        load_settings()


def test_other_peoples_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", "/data")
    monkeypatch.setenv("EDGE_BROWSER_PATH", "/usr/bin/edge")
    assert load_settings() == Settings()


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    with pytest.raises(SettingsError, match=r"^--vision\.median: 'x': .*0 to 15"):
        load_settings(None, {"vision.median": "x"})


@given(st.sampled_from([info for info in all_settings() if info.limits != (None, None)]), st.integers(-10, 10_000))
def test_limits_are_kept(info, value: int) -> None:  # type: ignore[no-untyped-def]
    low, high = info.limits
    if low <= value <= high:
        assert load_settings(None, {info.name: value})
    else:
        with pytest.raises(SettingsError, match=f"{low} to {high}"):
            load_settings(None, {info.name: value})


SERVICES_OWN = {"publish": ("jsonl:-?what=events",), "state": "/var/lib/edge-digits"}
"""What systemd/edge.toml says otherwise than the defaults: so the journal does not fill the card, and root's commands
find what the service keeps."""


def test_the_sample_file_shows_every_setting_with_its_default() -> None:
    path = ROOT / "systemd" / "edge.toml"
    assert load_settings(path) == replace(Settings(), **SERVICES_OWN)
    assert Settings() != replace(Settings(), **SERVICES_OWN)
    shown = tomllib.loads(path.read_text("utf-8"))
    sections = ("vision", "track", "store")
    flat = {key for key in shown if key not in sections} | {f"{part}.{key}" for part in sections for key in shown[part]}
    assert flat == {info.name for info in all_settings()}


def test_the_sample_file_describes_each_setting_as_declared() -> None:
    comments: dict[str, str] = {}
    section = comment = ""
    for line in (ROOT / "systemd" / "edge.toml").read_text("utf-8").splitlines():
        if line.startswith("#"):
            comment = f"{comment} {line.removeprefix('#').strip()}".strip()
        elif line.startswith("["):
            section, comment = f"{line.strip('[]')}.", ""
        elif name := line.partition(" = ")[0]:
            comments[section + name], comment = comment, ""
        else:
            comment = ""
    for info in all_settings():
        limits = "" if info.limits == (None, None) else f" ({info.limits[0]} to {info.limits[1]})"
        declared = f"{info.description[0].upper()}{info.description[1:]}{limits}."
        assert comments[info.name].startswith(declared), info.name


VALUES = st.one_of(
    st.sampled_from(
        ["true", "false", "True", "yes", "auto", "dark", "area", "jsonl:-", "a b", "", " 3", "3.", "1e2", "-0"]
    ),
    st.integers(-3, 200_000),
    st.integers(-3, 5000).map(str),
    st.floats(-1, 5000, allow_subnormal=False) | st.sampled_from([float("nan"), float("inf")]),
    st.floats(0, 50, allow_subnormal=False).map(str),
    st.booleans(),
    st.lists(st.sampled_from(["jsonl:-", "jsonl:x"]), max_size=2),
    st.none(),
)


@given(st.sampled_from(all_settings()), VALUES)
def test_what_is_plain_is_what_pydantic_makes_of_it(info, value) -> None:
    plain = settings._plain_value(info, value)
    if plain is None:
        return
    section, _, name = info.name.rpartition(".")
    values = {section: {name: value}} if section else {name: value}
    made = settings._checked(settings._model({}), values, origin=str)
    checked = getattr(getattr(made, section) if section else made, name)
    assert (plain, type(plain)) == (checked, type(checked))


def test_settings_that_are_plain_need_no_pydantic(tmp_path, monkeypatch) -> None:
    file = tmp_path / "edge.toml"
    file.write_text(
        "fps = 1\n".replace("fps", "threads")
        + 'publish = ["jsonl:-", "jsonl:b"]\n[vision]\nmedian = 5\n[track]\ndwell = 1\n'
    )
    monkeypatch.setenv("EDGE_VISION__EVEN", "false")
    monkeypatch.setitem(sys.modules, "pydantic", None)
    made = load_settings(file, {"source": "synthetic:", "vision.level": "80"})
    assert (made.source, made.threads, made.publish) == ("synthetic:", 1, ("jsonl:-", "jsonl:b"))
    assert (made.vision.median, made.vision.even, made.vision.level, made.track.dwell) == (5, False, 80, 1.0)
    assert load_settings(file) == Settings(
        threads=1, publish=made.publish, vision=VisionSettings(median=5, even=False), track=TrackSettings(dwell=1.0)
    )
