"""What Prometheus gets, from the real program over HTTP, read by Prometheus' own parser."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.cli import main
from edge.errors import SettingsError
from edge.publishers import open_publisher
from edge.publishers.base import Delivery, Publisher
from edge.publishers.webhook import public_name
from edge.reading.reader import Reader
from edge.running.metrics import STAGES, Metrics
from edge.sources.base import Source
from edge.types import Event, Frame, Notice, Reading
from edge.uri import split_address
from tests.edge.publishers.test_webhook import Far
from tests.support.mosquitto import eventually, free_port
from tests.support.patience import patience

ROOT = Path(__file__).parents[3]
READ = ("clean", "segment", "normalise", "invoke", "decide")


def text_of(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=patience(20)) as answer:
        return str(answer.read().decode())


class Scrape:
    def __init__(self, of: int | Metrics) -> None:
        """``of``: the port of a running device, or the metrics themselves."""
        text = text_of(of) if isinstance(of, int) else of.text().decode()
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        """Each sample's value by its name and labels."""

    def __call__(self, name: str, /, **labels: str) -> float:
        return self.samples[(name, frozenset(labels.items()))]

    def has(self, name: str) -> bool:
        return any(known == name for known, _ in self.samples)


class Quiet(Source):
    """A source that is only asked how it is."""

    live = True
    state = "stalled"
    dropped = 7

    def __next__(self) -> Frame:
        raise StopIteration

    def close(self) -> None:
        pass


class Away(Publisher):
    """A courier whose far side is away."""

    name = "mqtt://shed:1883/home"

    def publish(self, message: object) -> None:
        pass

    def close(self) -> None:
        pass

    def delivery(self) -> Delivery:
        return Delivery(False, 12, 34.5, 2, 100, 3, 8, "is away")


@pytest.fixture
def metrics(reader: Reader, tmp_path: Path) -> Iterator[Metrics]:
    with Metrics(source=Quiet(), reader=reader, publishers=[Away()], root=tmp_path) as made:
        yield made


def reading(reason: str | None = None, ago: float = 0.0) -> Reading:
    return Reading("desk", 0, datetime.now(UTC) - timedelta(seconds=ago), (), reason, "mnist-1.0", 1.0)


def test_a_real_run_tells_all_of_its_stages(tmp_path: Path) -> None:
    port = free_port()
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "edge.cli", "run", "--source", "synthetic:?seed=3", "--metrics"]
    # Where frames are read slowly, their page is believed before there are five, and would not be read again.
    command += [f"127.0.0.1:{port}", "--publish", f"jsonl:{out}", "--track.still", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        until = time.monotonic() + patience(60)
        while True:
            assert run.poll() is None and time.monotonic() < until, run.stderr and run.stderr.read()
            try:
                scrape = Scrape(port)
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
                continue
            if scrape("edge_digits_frames_total") >= 5:
                break
        frames = scrape("edge_digits_frames_total")
        lines = len(out.read_text().splitlines())
        run.send_signal(signal.SIGTERM)
        assert (run.wait(patience(20)), run.stderr and run.stderr.read()) == (0, "")
    assert lines >= frames
    for stage in READ:
        # While one is asked, the next frame is read.
        assert scrape("edge_digits_stage_seconds_count", stage=stage) - frames in (0, 1)
        assert scrape("edge_digits_stage_seconds_sum", stage=stage) > 0
    assert scrape("edge_digits_stage_seconds_count", stage="capture") >= frames
    assert scrape("edge_digits_camera_to_publish_seconds_count") == frames
    reasons = [value for (name, _), value in scrape.samples.items() if name == "edge_digits_rejects_total"]
    assert scrape("edge_digits_readings_total") + sum(reasons) == frames
    assert scrape("edge_digits_source_state", state="running") == 1
    # The 24th of proc_pid_stat(5) is what it holds, of which qemu-user says nothing.
    told = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[21]) > 0
    assert scrape("process_resident_memory_bytes") > 1e7 or not told
    assert scrape.has("edge_digits_build_info")


def test_a_real_run_tells_of_its_events_and_who_has_them(tmp_path: Path) -> None:
    far = Far()
    port = free_port()
    url = f"http://127.0.0.1:{far.port}/secret/path"
    command = [sys.executable, "-m", "edge.cli", "run", "--source", "synthetic:?seed=3&fps=20&hold=30&difficulty=0"]
    command += ["--metrics", f"127.0.0.1:{port}", "--state", str(tmp_path), "--publish", url]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as run:
        try:
            publisher = {"publisher": public_name(url)}
            scrape = eventually(lambda: len(far.got) >= 2 and Scrape(port))
            assert scrape("edge_digits_publisher_connected", **publisher) == 1
            assert scrape("edge_digits_publisher_sent_total", **publisher) >= 1
        finally:
            run.send_signal(signal.SIGTERM)
        assert (run.wait(patience(20)), run.stderr and run.stderr.read()) == (0, "")
    far.close()
    events = [json.loads(body) for _, _, body in far.got]
    counted = sum(value for (name, _), value in scrape.samples.items() if name == "edge_digits_events_total")
    assert 2 <= counted <= len(events) + 1
    # Laps come with the next reading.
    assert scrape("edge_digits_stage_seconds_count", stage="store") >= counted - 1
    assert scrape("edge_digits_stage_seconds_count", stage="track") >= scrape("edge_digits_frames_total") - 1
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    assert [event["before"] for event in events[1:]] == [event["text"] for event in events[:-1]]


def test_names_are_as_prometheus_wants_them(metrics: Metrics, tmp_path: Path) -> None:
    """https://prometheus.io/docs/practices/naming/, and a help text for each."""
    lay_out_a_pi(tmp_path)
    families = list(text_string_to_metric_families(metrics.text().decode()))
    ours = [family for family in families if family.name.startswith("edge_digits_")]
    assert len(ours) > 20
    for family in ours:
        assert re.fullmatch("[a-z_]+", family.name)
        assert family.documentation.endswith("."), family.name
        assert not re.search("_(ms|milliseconds|percent|count|sum|bucket)$", family.name), family.name
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
            assert family.type != "histogram" or family.name.endswith("_seconds")
    assert {family.name for family in families} - {family.name for family in ours} <= {
        *(f"process_{what}" for what in ("virtual_memory_bytes", "resident_memory_bytes", "start_time_seconds")),
        *(f"process_{what}" for what in ("cpu_seconds", "open_fds", "max_fds")),
    }


def test_what_passes_is_counted(metrics: Metrics) -> None:
    for reason in ("blank", "blurred", "blank", None, None, None):
        metrics.publish(reading(reason))
    now = datetime.now(UTC)
    for change in ("appeared", "changed", "changed", "cleared"):
        metrics.publish(Event(change, now, "4", "2", 1.0, 0.9, reading()))
    for about, state in (("model", "accepted"), ("model", "refused"), ("model", "refused"), ("camera", "stalled")):
        metrics.publish(Notice(about, state, "name", now, None))
    scrape = Scrape(metrics)
    assert scrape("edge_digits_frames_total") == 6
    assert scrape("edge_digits_readings_total") == 3
    rejects = {reason: scrape("edge_digits_rejects_total", reason=reason) for reason in ("blank", "blurred", "clutter")}
    assert rejects == {"blank": 2, "blurred": 1, "clutter": 0}
    events = {change: scrape("edge_digits_events_total", event=change) for change in ("appeared", "changed", "cleared")}
    assert events == {"appeared": 1, "changed": 2, "cleared": 1}
    swaps = {outcome: scrape("edge_digits_model_swaps_total", outcome=outcome) for outcome in ("accepted", "refused")}
    assert swaps == {"accepted": 1, "refused": 2}


def test_latency_is_since_the_capture_and_never_below_nothing(metrics: Metrics) -> None:
    for ago in (0.3, 0.3, 3.0, 100.0, -3600.0):
        metrics.publish(reading(ago=ago))
    scrape = Scrape(metrics)
    name = "edge_digits_camera_to_publish_seconds"
    counts = {le: scrape(f"{name}_bucket", le=le) for le in ("0.005", "0.25", "0.5", "2.5", "5.0", "10.0", "+Inf")}
    assert counts == {"0.005": 1, "0.25": 1, "0.5": 3, "2.5": 3, "5.0": 4, "10.0": 4, "+Inf": 5}
    assert scrape(f"{name}_sum") == pytest.approx(103.6, abs=2)


def test_the_loops_laps_come_with_the_readings(metrics: Metrics) -> None:
    for stage in ("capture", "track", "publish"):
        metrics.stopwatch.lap(stage)
    before = Scrape(metrics)
    metrics.publish(reading())
    metrics.publish(reading())
    after = Scrape(metrics)
    counted = {stage: after("edge_digits_stage_seconds_count", stage=stage) for stage in STAGES}
    assert {stage for stage, count in counted.items() if count} == {"capture", "track", "publish"}
    assert all(before("edge_digits_stage_seconds_count", stage=stage) == 0 for stage in STAGES)
    assert max(counted.values()) == 1


def test_the_stages_of_a_reading_are_parts_of_its_time(reader: Reader, page) -> None:  # type: ignore[no-untyped-def]
    for pixels in (page("1247673", "8952481"), page("5", light_ink=True)):
        before = time.perf_counter()
        analysis = reader.analyse(pixels)
        whole = time.perf_counter() - before
        assert set(analysis.stages) == set(READ)
        assert min(analysis.stages.values()) > 0
        assert sum(analysis.stages.values()) <= whole
        assert sum(analysis.stages.values()) * 1000 >= 0.9 * analysis.reading.elapsed_ms
    assert set(STAGES) > set(READ)


def test_source_model_and_publishers_are_looked_up(metrics: Metrics, reader: Reader) -> None:
    scrape = Scrape(metrics)
    assert scrape("edge_digits_dropped_frames_total") == 7
    states = ("starting", "running", "stalled", "reopening")
    assert [scrape("edge_digits_source_state", state=state) for state in states] == [0, 0, 1, 0]
    model = reader.model
    assert scrape("edge_digits_model_info", name=model.card.name, sha256=model.sha256) == 1
    of = {"publisher": Away.name}
    told = {
        "connected": 0,
        "backlog": 12,
        "oldest_age_seconds": 34.5,
        "dropped_total": 2,
        "sent_total": 100,
        "refused_total": 3,
        "failures_total": 8,
    }
    assert {name: scrape(f"edge_digits_publisher_{name}", **of) for name in told} == told


def test_what_a_full_disk_did_not_take_is_counted(reader: Reader, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    texts = ("jsonl:/dev/full", f"jsonl:{out}", f"jsonl:{out}?what=events")
    full, *_ = files = [open_publisher(text, live=True) for text in texts]
    with Metrics(source=Quiet(), reader=reader, publishers=files) as metrics:
        for _ in range(3):
            for file in files:
                file.publish(reading())
        scrape = Scrape(metrics)
    for file in files:
        file.close()

    def told(publisher: str) -> list[float]:
        names = ("connected", "sent_total", "dropped_total", "failures_total", "backlog")
        return [scrape(f"edge_digits_publisher_{name}", publisher=publisher) for name in names]

    assert told(full.name) == [0, 0, 3, 1, 0]
    assert told(str(out)) == [1, 3, 0, 0, 0]
    assert told(f"{out} (3)")[2:] == [0, 0, 0]


def lay_out_a_pi(root: Path) -> None:
    heat = root / "sys/class/thermal/thermal_zone0/temp"
    power = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
    for file, text in ((heat, "61900\n"), (power, "40001\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)


def test_a_pi_says_how_hot_it_is_and_what_holds_it_back(metrics: Metrics, tmp_path: Path) -> None:
    scrape = Scrape(metrics)
    assert not scrape.has("edge_digits_temperature_celsius")
    assert not scrape.has("edge_digits_throttled")
    lay_out_a_pi(tmp_path)
    scrape = Scrape(metrics)
    assert scrape("edge_digits_temperature_celsius") == 61.9
    hows = ("under_voltage", "clock_capped", "throttled", "soft_temperature_limit")
    assert [scrape("edge_digits_throttled", how=how) for how in hows] == [1, 0, 0, 0]
    assert [scrape("edge_digits_throttled_since_boot", how=how) for how in hows] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("address", "both"),
    [("127.0.0.1:9101", ("127.0.0.1", 9101)), ("[::1]:80", ("::1", 80)), ("pi.local:0", ("pi.local", 0))],
)
def test_an_address(address: str, both: tuple[str, int]) -> None:
    assert split_address(address, "metrics") == both


@pytest.mark.parametrize("wrong", ["9101", ":9101", "localhost", "localhost:", "localhost:99999", "::1:9101", "a b:1"])
def test_what_is_no_address(wrong: str, capfd) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SettingsError, match="host:port"):
        split_address(wrong, "metrics")
    assert main(["run", "--check", "--source", "synthetic:", "--metrics", wrong]) == 1
    assert "host:port" in capfd.readouterr().err
