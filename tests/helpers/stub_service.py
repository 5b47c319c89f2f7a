"""Stands in for `python -m localtune serve` in the tests of `connect`: same file, same health, same exit statuses.

    stub_service.py STATE [--fail]      stops by itself after ten minutes, or on POST /stop
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HEALTH = {"status": "ok", "version": "0", "jobs": {"running": 0, "queued": 0}, "base": {"small": {"parameters": 7}}}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers.get("Authorization", "").removeprefix("Bearer ") == os.environ.get("STUB_KEY", "sk-local")
        status = 200 if self.path == "/healthz" or known else 401
        self.reply(status, HEALTH if self.path == "/healthz" else {"object": "list", "data": []})

    def do_POST(self) -> None:
        self.reply(200, {})
        threading.Thread(target=self.server.shutdown).start()

    def reply(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(state: Path) -> int:
    try:
        os.close(os.open(state / "lock", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        print("state folder is in use")
        return 3
    time.sleep(0.3)  # as slow as a real start, so that a second one meets a lock without a service.json
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}/v1"
    (state / "service.json").write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    threading.Timer(600, server.shutdown).start()
    print(f"ready {url}", flush=True)
    server.serve_forever(poll_interval=0.05)
    os._exit(0)


if __name__ == "__main__":
    if "--fail" in sys.argv:
        print("ModuleNotFoundError: No module named 'torch'", file=sys.stderr)
        sys.exit(1)
    sys.exit(main(Path(sys.argv[1])))
