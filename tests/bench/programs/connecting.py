"""Throughput and latency of a TCP connection to a peer that does as it is told."""

import socket
import struct
import time


def run(words):
    kind, port, number, size = words[0], int(words[1]), int(words[2]), int(words[3])
    program = {"send": send, "receive": receive, "echo": echo}[kind]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return program(connection, number, size)


def send(connection, number, size):
    """Milliseconds until the peer has all of it."""
    block = bytes(size)
    connection.sendall(struct.pack(">cQ", b"s", number))
    begun = time.perf_counter()
    for _ in range(number // size):
        connection.sendall(block)
    if connection.recv(1) != b"k":
        raise AssertionError("the peer has not got it all")
    return [(time.perf_counter() - begun) * 1000]


def receive(connection, number, size):
    """Milliseconds until all of it is here."""
    begun = time.perf_counter()
    connection.sendall(struct.pack(">cQ", b"r", number))
    left = number
    while left:
        block = connection.recv(size)
        if not block:
            raise AssertionError("%d bytes are missing" % left)
        left -= len(block)
    return [(time.perf_counter() - begun) * 1000]


def echo(connection, number, size):
    """Microseconds of a message there and back: the median, and the 99th of 100."""
    message = b"m" * size
    clock = time.perf_counter
    figures = []
    connection.sendall(struct.pack(">cQ", b"e", number * size))
    for _ in range(number):
        begun = clock()
        connection.sendall(message)
        answer = connection.recv(size)
        figures.append((clock() - begun) * 1e6)
        if answer != message:
            raise AssertionError("%r came back" % answer)
    figures.sort()
    return [figures[number // 2], figures[number * 99 // 100]]
