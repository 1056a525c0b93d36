"""Cleaning settings saved on the live page: they replace [vision], are checked, and never prevent a start."""

import contextlib
import os
import tomllib

import pytest

import edge.running.saved_vision
from edge import cli
from edge.errors import SettingsError, StateError
from edge.running.saved_vision import PREVIOUS_FILE, SAVED_FILE, SavedVision
from edge.settings import load_settings, pinned_vision
from edge.vision.settings import VisionSettings

CONFIGURED = VisionSettings(median=5)


@pytest.fixture
def saved(tmp_path):
    return SavedVision(str(tmp_path), CONFIGURED)


def test_where_nothing_was_saved_the_settings_hold(saved):
    assert saved.vision() is CONFIGURED and not saved.is_saved() and not saved.has_previous()


def test_what_is_saved_is_toml_that_comes_back(saved, tmp_path):
    vision = saved.with_values({"level": 120, "even": False, "threshold": "otsu"}, CONFIGURED)
    saved.save(vision)
    assert SavedVision(str(tmp_path), VisionSettings()).vision() == vision
    said = tomllib.loads((tmp_path / SAVED_FILE).read_text())
    assert said["vision"]["level"] == 120 and said["vision"]["median"] == 5 and said["vision"]["even"] is False
    # And it may be given as a settings file.
    assert load_settings(tmp_path / SAVED_FILE).vision == vision


def test_back_goes_to_the_one_before_and_forth_again(saved):
    one, two = saved.with_values({"level": 100}, CONFIGURED), saved.with_values({"level": 200}, CONFIGURED)
    saved.save(one)
    saved.save(two)
    assert saved.restore_previous() == one == saved.vision()
    assert saved.restore_previous() == two == saved.vision()


@pytest.mark.parametrize("ends_after", range(6))
@pytest.mark.parametrize("goes_back", [True, False])
def test_a_power_cut_loses_neither_of_the_two(saved, tmp_path, monkeypatch, goes_back, ends_after):
    one, two, three = (saved.with_values({"level": level}, CONFIGURED) for level in (100, 150, 200))
    saved.save(one)
    saved.save(two)
    left = ends_after

    def until_the_cut(change):
        def changed(*arguments):
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return change(*arguments)

        return changed

    with monkeypatch.context() as cut:
        for change in ("_put", "_move"):
            cut.setattr(
                f"edge.running.saved_vision.{change}", until_the_cut(getattr(edge.running.saved_vision, change))
            )
        with contextlib.suppress(KeyboardInterrupt):
            saved.restore_previous() if goes_back else saved.save(three)
    after = SavedVision(str(tmp_path), CONFIGURED)
    now, before = after.vision(), after.restore_previous()
    assert (now, before) in ([(two, one), (one, two)] if goes_back else [(two, one), (three, two)])
    assert after.restore_previous() == now, "and forth again"


def test_back_from_the_first_goes_to_the_settings(saved, tmp_path):
    one = saved.with_values({"level": 100}, CONFIGURED)
    saved.save(one)
    assert saved.restore_previous() == CONFIGURED and not (tmp_path / SAVED_FILE).exists()
    assert saved.restore_previous() == one


def test_a_named_pipe_is_not_waited_for(saved, tmp_path):
    os.mkfifo(tmp_path / SAVED_FILE)
    with pytest.raises(StateError, match="it is no regular file"):
        saved.vision()
    with pytest.raises(StateError, match="it is no regular file"):
        saved.save(CONFIGURED)


@pytest.mark.parametrize(
    "content",
    ["", "vision = 3", "[vision]\nmedian = 99", "[vision]\nmedain = 3", "\0\0", "[vision", "vision = " + "[" * 50_000],
    ids=range(7),
)
def test_what_is_damaged_is_one_line_and_nothing_changes(saved, tmp_path, content):
    (tmp_path / SAVED_FILE).write_text(content)
    if content:
        with pytest.raises(StateError, match=r"is damaged|no such setting"):
            saved.vision()
    good = (tmp_path / SAVED_FILE).read_bytes()
    (tmp_path / PREVIOUS_FILE).write_text("[vision")
    with pytest.raises(StateError, match="is damaged"):
        saved.restore_previous()
    assert (tmp_path / SAVED_FILE).read_bytes() == good


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"median": 99}, "vision.median: 99: .*; 0 to 15"),
        ({"polarity": "pink"}, "one of auto, dark, light"),
        ({"medain": 3}, "vision.medain: no such setting; did you mean"),
        ({"even": "perhaps"}, "vision.even"),
        ({"level": None}, "vision.level"),
    ],
)
def test_a_value_out_of_range_is_refused(saved, values, says):
    with pytest.raises(SettingsError, match=says):
        saved.with_values(values, CONFIGURED)


def test_what_a_flag_or_the_environment_says_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_VISION__FAINT", "50")
    assert pinned_vision({"vision.median": "5", "source": "x"}) == {"median", "faint"}
    SavedVision(str(tmp_path), VisionSettings()).save(VisionSettings(median=9, level=120, faint=30))
    found = SavedVision(str(tmp_path), VisionSettings(median=5, faint=50), ("median", "faint")).vision()
    assert (found.median, found.faint, found.level) == (5, 50, 120)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the folder cannot be created"):
        SavedVision(str(tmp_path / "file" / "state"), CONFIGURED).save(CONFIGURED)


def test_a_run_reads_by_what_was_saved_and_says_so_before(tmp_path, capfd):
    SavedVision(str(tmp_path), VisionSettings()).save(VisionSettings(polarity="light"))
    order = ["run", "--source", "synthetic:", "--state", str(tmp_path)]
    assert cli.main([*order, "--check"]) == 0
    assert f"vision   {tmp_path / SAVED_FILE}, saved on the live page" in capfd.readouterr().out
    # Pages of dark ink are blank to whoever looks for chalk.
    assert cli.main([*order, "--frames", "1"]) == 0
    assert '"reason": null' not in capfd.readouterr().out
    assert cli.main([*order, "--frames", "1", "--vision.polarity", "auto"]) == 0
    assert '"reason": null' in capfd.readouterr().out


def test_a_run_goes_on_where_what_was_saved_is_damaged(tmp_path, capfd, caplog):
    (tmp_path / SAVED_FILE).write_text("[vision")
    order = ["run", "--source", "synthetic:", "--state", str(tmp_path)]
    assert cli.main([*order, "--frames", "1"]) == 0
    assert '"reason": null' in capfd.readouterr().out
    assert f"{tmp_path / SAVED_FILE}: is damaged" in caplog.text and "until then" in caplog.text
    assert cli.main([*order, "--check"]) == 1
    assert "is damaged" in capfd.readouterr().err
