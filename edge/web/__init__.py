"""The live page and the HTTP API at the setting ``web``, and the metrics at the setting ``metrics``.

The only package that imports Starlette and uvicorn. It runs in a thread of its own and never makes the loop wait: it
takes the newest frame from where the loop leaves it, and only while somebody is viewing the page.
"""
