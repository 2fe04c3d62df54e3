"""A client of the hub's API that keeps its connection, and a watch that asks something all the time."""

import base64
import http.client
import json
import threading
import time
import urllib.parse

from figures import percentile


class Client:
    """One connection to the hub, which is made anew when it broke."""

    def __init__(self, port, timeout=20, user=None, source=None):
        self.port = port
        self.timeout = timeout
        self.source = (source, 0) if source else None
        self.headers = {}
        if user:
            self.headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        self.connection = None
        self.used = time.monotonic()

    def command(self, param, **words):
        """The answer of `json.htm`."""
        query = urllib.parse.urlencode(
            dict({"type": "command", "param": param}, **words), quote_via=urllib.parse.quote
        )
        return json.loads(self.request("GET", "/json.htm?" + query)[1])

    def post(self, path, body):
        """Status and answer in JSON."""
        status, answer = self.request("POST", path, json.dumps(body))
        return status, json.loads(answer)

    def get(self, path):
        """An answer in JSON."""
        return json.loads(self.request("GET", path)[1])

    def request(self, method, path, body=None):
        """Status and body."""
        # The hub ends connections that are silent for ten seconds.
        if time.monotonic() - self.used > 5:
            self.close()
        self.used = time.monotonic()
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout, source_address=self.source
            )
        headers = dict(self.headers, **({"Content-Type": "application/json"} if body else {}))
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        """Gives the connection up."""
        if self.connection:
            self.connection.close()
        self.connection = None


class Watch:
    """Asks the hub for its version again and again, while the `with` lasts, and notes how long it took."""

    def __init__(self, make, pause=0.2, anew=False):
        self.make = make
        self.pause = pause
        # Whether each request has a connection of its own.
        self.anew = anew
        self.times = []
        self.failures = []
        self.over = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(60)

    def _ask(self):
        client = self.make()
        while not self.over.wait(self.pause):
            begun = time.monotonic()
            try:
                status, _ = client.request("GET", "/json.htm?type=command&param=getversion")
                if status != 200:
                    self.failures.append("status %d" % status)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(
                    "%s after %.1f s" % (type(error).__name__, time.monotonic() - begun)
                )
            self.times.append(time.monotonic() - begun)
            if self.anew:
                client.close()
        client.close()

    @property
    def p99(self):
        """The time that 99 of 100 answers did not exceed."""
        return percentile(self.times, 0.99)

    @property
    def worst(self):
        """The slowest answer."""
        return max(self.times, default=None)
