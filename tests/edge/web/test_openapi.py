"""The HTTP API answers as its description says: schemathesis sends generated requests to a whole ``edge run``."""

import json
import time
import urllib.request

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from edge.web.app import description
from tests.support.web import device

STREAMS = ("/api/live",)
"""Paths whose answers have no end."""
schema = schemathesis.openapi.from_dict(description()).exclude(path=list(STREAMS))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with device(tmp_path_factory.mktemp("here"), source="synthetic:?fps=5&hold=3") as running:
        yield running


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_it_answers_as_described(case, here):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {here.tokens()['change']}"}
    if "Accept" in case.headers:
        del case.headers["Accept"]
    case.call_and_validate(
        base_url=here.url.rstrip("/"),
        timeout=30,
        checks=[
            not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ],
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
            if set(found) == kinds:
                break
    return found


def test_streams_are_as_described(here):
    """Tested apart, because schemathesis waits for the end of an answer."""
    of = {"$defs": schema.raw_schema["components"]["schemas"]}
    as_they_are = json.loads(json.dumps(of).replace("#/components/schemas/", "#/$defs/"))
    live = events(here, "api/live", {"view", "status"})
    jsonschema.validate(live["view"], {**as_they_are, "$ref": "#/$defs/View"})
    jsonschema.validate({**live["status"], "rights": "view"}, {**as_they_are, "$ref": "#/$defs/Status"})
    told = events(here, "api/events", {"event"})["event"]
    jsonschema.validate(told, {**as_they_are, "$ref": f"#/$defs/{'Event' if 'event' in told else 'Notice'}"})


def test_the_whole_description_is_served(here):
    description = here.ask("/api/openapi.json").json
    assert description == json.loads(json.dumps(description()))
    assert {"/api/read", "/api/reading", "/api/events", "/api/history", "/api/status", "/healthz", "/metrics"} <= set(
        description["paths"]
    )
