from pathlib import Path

import pytest

from edge.system import raspberry


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("text", "model"), [("Raspberry Pi 5 Model B Rev 1.0\0", "Raspberry Pi 5 Model B Rev 1.0"), ("Rock 5B\0", "")]
)
def test_the_model_is_that_of_a_raspberry_pi(tmp_path: Path, text: str, model: str) -> None:
    assert raspberry.model(tmp_path) == ""
    write(tmp_path, "proc/device-tree/model", text)
    assert raspberry.model(tmp_path) == model


def test_the_hottest_sensor_counts(tmp_path: Path) -> None:
    for n, text in enumerate(("48312\n", "61900\n", "", "hot\n", "-3000\n")):
        write(tmp_path, f"sys/class/thermal/thermal_zone{n}/temp", text)
    assert raspberry.temperature_celsius(tmp_path) == 61.9


def test_a_computer_without_sensors_says_nothing(tmp_path: Path) -> None:
    assert raspberry.temperature_celsius(tmp_path) is None
    assert raspberry.throttled_bits(tmp_path) is None
    (tmp_path / "sys/class/thermal/thermal_zone0/temp").mkdir(parents=True)
    assert raspberry.temperature_celsius(tmp_path) is None


@pytest.mark.parametrize(
    "folder", ["soc/soc:firmware", "scb/soc:firmware", "soc@107c000000/soc@107c000000:firmware", "soc:firmware"]
)
def test_throttling_is_read_from_a_file_of_the_kernel(tmp_path: Path, folder: str) -> None:
    write(tmp_path, f"sys/devices/platform/{folder}/get_throttled", "50005\n")
    assert raspberry.throttled_bits(tmp_path) == 0x50005


def test_what_is_no_number_is_nothing(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "soon\n")
    assert raspberry.throttled_bits(tmp_path) is None
