"""``web = "127.0.0.1:8080"``: a page that shows what the camera sees and why it reads what it reads; and an HTTP API.

Starlette and uvicorn enter here alone. All of it runs in a thread of its own, and asks the loop for nothing: the loop
leaves its newest frame where it always does, and this looks at it while somebody looks at the page.
"""
