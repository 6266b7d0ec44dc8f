"""A web server. At each request it asks a fleet what celery-exporter asks at each scrape: `two-questions.py URL PORT`."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from celery import Celery

app = Celery(broker=sys.argv[1])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        inspect = app.control.inspect()
        answers = str([inspect.stats(), inspect.active_queues()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answers)))
        self.end_headers()
        self.wfile.write(answers)


server = HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
print("listening", flush=True)
server.serve_forever()
