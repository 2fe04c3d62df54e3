"""Milliseconds per HTTP request to a server on this machine."""

import http.client
import time
import urllib.request

REQUESTS = 200
LENGTH = 1024


def run(words):
    kind, port = words
    request = {"urllib": with_urllib, "kept": with_one_connection}[kind]
    return [request(int(port))]


def with_urllib(port):
    """`urlopen` asks the server to close: a connection for each request."""
    url = "http://127.0.0.1:%d/" % port
    # No proxy that the environment names comes between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    begun = time.perf_counter()
    for _ in range(REQUESTS):
        with opener.open(url) as answer:
            check(answer)
    return (time.perf_counter() - begun) / REQUESTS * 1000


def with_one_connection(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun = time.perf_counter()
    for _ in range(REQUESTS):
        connection.request("GET", "/")
        check(connection.getresponse())
    took = time.perf_counter() - begun
    connection.close()
    return took / REQUESTS * 1000


def check(answer):
    body = answer.read()
    if answer.status != 200 or len(body) != LENGTH:
        raise AssertionError("%d with %d bytes" % (answer.status, len(body)))
