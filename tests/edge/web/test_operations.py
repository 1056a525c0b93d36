"""A handler is declared once: its route and its description come from the same place."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from edge.web.app import API, description
from edge.web.operations import JSON, operation, operations_of, routes_of


class Things:
    @operation("GET", "/things/{number:number}", "A thing", {JSON: {}}, path_names={"number": "which"})
    async def _get(self, request):
        return PlainTextResponse("got")

    @operation("DELETE", "/things/{number:number}", "Delete a thing", {}, status=204, path_names={"number": "which"})
    async def _delete(self, request):
        return PlainTextResponse("deleted")


def ask(method):
    seen = []

    async def send(message):
        seen.append(message)

    scope = {"type": "http", "method": method, "path": "/things/7", "headers": [], "query_string": b""}
    asyncio.run(Starlette(routes=routes_of([Things()]))(scope, None, send))
    return seen[0]["status"], dict(seen[0]["headers"]), seen[1]["body"]


def test_a_path_knows_all_its_methods():
    assert ask("GET")[2] == b"got" and ask("DELETE")[2] == b"deleted" and ask("HEAD")[0] == 200
    status, headers, _ = ask("PUT")
    assert status == 405 and set(headers[b"allow"].decode().split(", ")) == {"GET", "HEAD", "DELETE"}


def test_the_description_has_each_declared_operation():
    declared = {(one.described_path, one.method.lower()) for one in operations_of(API)}
    described = {(path, method) for path, methods in description()["paths"].items() for method in methods}
    assert declared == described and len(declared) > 12


def test_a_description_says_what_rights_are_needed():
    paths = description()["paths"]
    assert paths["/healthz"]["get"]["security"] == []
    assert {} in paths["/api/status"]["get"]["security"] and {} not in paths["/api/vision"]["put"]["security"]
    assert paths["/api/corrections/{number}"]["delete"]["parameters"][0]["schema"]["type"] == "integer"
