"""The HTTP API answers as its description says: schemathesis sends generated requests to a whole ``edge run``."""

import base64
import json
import time
import urllib.request

import cv2
import jsonschema
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth

from edge.web.app import description
from edge.web.openapi_schemas import PNG_FORMAT
from tests.support.web import device

STREAMS = ("/api/live",)
"""Paths whose answers have no end."""
EXAMPLES = 12
"""Generated requests for each operation, besides those for each limit of its description."""


def picture(suffix: str) -> bytes:
    return cv2.imencode(suffix, np.full((28, 28), 7, np.uint8))[1].tobytes()


# No schema can say what a picture is: only real ones are valid.
schemathesis.openapi.format(PNG_FORMAT, st.just("data:image/png;base64," + base64.b64encode(picture(".png")).decode()))
schemathesis.openapi.media_type("application/octet-stream", st.sampled_from([picture(".png"), picture(".pgm")]))
schemathesis.openapi.media_type("image/png", st.just(picture(".png")))
schemathesis.openapi.media_type("image/jpeg", st.just(picture(".jpg")))
schema = schemathesis.openapi.from_dict(description(), config=SchemathesisConfig(seed=24)).exclude(path=list(STREAMS))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here"), source="synthetic:?fps=5&hold=3") as running:
        yield running


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_it_answers_as_described(case, here):
    """With all of schemathesis' checks but that of wrong tokens: after ten of them the answer is another."""
    case.call_and_validate(
        base_url=here.url.rstrip("/"),
        headers={"Authorization": f"Bearer {here.tokens()['change']}"},
        excluded_checks=[ignored_auth],
        timeout=30,
    )


def test_the_device_still_reads_after_these_requests(here):
    before = here.ask("/api/status").json["frames"]
    until = time.monotonic() + 20
    while here.ask("/api/status").json["frames"] == before and time.monotonic() < until:
        time.sleep(0.1)
    assert here.ask("/api/status").json["frames"] > before


def test_a_status_has_all_that_is_described_and_nothing_else(here):
    status, schemas = here.ask("/api/status").json, schema.raw_schema["components"]["schemas"]
    jsonschema.validate(status, schemas["Status"])
    assert set(status) == set(schemas["Status"]["properties"])
    for publisher in status["publishers"]:
        assert set(publisher) == set(schemas["Status"]["properties"]["publishers"]["items"]["properties"])


def events(here, path, kinds):
    """The first event of each kind that a stream has."""
    request = urllib.request.Request(here.url + path, headers={"Accept": "text/event-stream"})
    found, kind = {}, ""
    with urllib.request.urlopen(request, timeout=30) as lines:
        assert lines.headers.get_content_type() == "text/event-stream"
        for line in lines:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                found.setdefault(kind, json.loads(value))
            if kinds <= set(found):
                break
    return found


def test_streams_are_as_described(here):
    """Tested apart, because schemathesis waits for the end of an answer."""
    # With what schemathesis has saved, perhaps nothing is read.
    configured = json.dumps(here.ask("/api/vision").json["configured"]).encode()
    assert here.ask("/api/vision", configured, "PUT", Authorization=f"Bearer {here.tokens()['change']}").status == 200
    of = {"$defs": schema.raw_schema["components"]["schemas"]}
    as_they_are = json.loads(json.dumps(of).replace("#/components/schemas/", "#/$defs/"))
    live = events(here, "api/live", {"view", "aim", "status"})
    jsonschema.validate(live["view"], {**as_they_are, "$ref": "#/$defs/View"})
    jsonschema.validate(live["aim"], {**as_they_are, "$ref": "#/$defs/Aim"})
    jsonschema.validate({**live["status"], "rights": "view"}, {**as_they_are, "$ref": "#/$defs/Status"})
    told = events(here, "api/events", {"event"})["event"]
    jsonschema.validate(told, {**as_they_are, "$ref": f"#/$defs/{'Event' if 'event' in told else 'Notice'}"})


def test_the_whole_description_is_served(here):
    served = here.ask("/api/openapi.json").json
    assert served == json.loads(json.dumps(description()))
    assert {"/api/read", "/api/reading", "/api/events", "/api/history", "/api/status", "/healthz", "/metrics"} <= set(
        served["paths"]
    )
