"""Ten micro-programs, each a kind of work that plugins do.

Every program returns a figure that is compared with RESULTS, so that an arm cannot
be fast by being wrong. Sizes are for some tens of milliseconds in CPython.
"""

import json
import re


def _fib(n):
    return n if n < 2 else _fib(n - 1) + _fib(n - 2)


def fib():
    return _fib(25)


def floats():
    total, x = 0.0, 0.5
    for n in range(120000):
        x = 3.7 * x * (1.0 - x)
        total += x / (1.0 + n * 0.001)
    return round(total, 3)


def json_text():
    record = {
        "id": 17, "name": "outdoor", "values": [21.5, 60, None, True],
        "nested": {"unit": "C", "tags": ["a", "b", "c"] * 8},
    }
    length = 0
    for _ in range(600):
        text = json.dumps([record] * 3)
        length += len(json.loads(text)) + len(text)
    return length


def regex():
    pattern = re.compile(r"(\w+)\[(\d+)\]\s*=\s*([-+]?\d+\.\d+)\s*(\w*)")
    text = "temp[12] = +21.55 C; hum[3]=60.1 pct; noise; baro[7] = -1013.2 hPa; " * 20
    found = 0
    for _ in range(150):
        for match in pattern.finditer(text):
            found += int(match.group(2)) + len(match.group(4))
    return found


def strings():
    words = ["alpha", "beta", "gamma", "delta"] * 50
    length = 0
    for n in range(700):
        line = ",".join(words).upper().replace("BETA", str(n))
        parts = [part.strip().lower() for part in line.split(",")]
        length += len("%s-%d-%s" % (parts[0], n, parts[-1])) + len(f"{line!r:>10}")
    return length


class _Counter:
    def __init__(self, step):
        self.step = step
        self.value = 0

    def up(self, factor):
        self.value += self.step * factor
        return self

    def down(self):
        self.value -= 1


def methods():
    counter = _Counter(3)
    for n in range(50000):
        counter.up(n & 7).down()
    return counter.value


def dicts():
    table = {}
    for n in range(40000):
        key = "k%d" % (n % 997)
        table[key] = table.get(key, 0) + n
    return sum(value for key, value in table.items() if key.endswith("7"))


def nbody():
    bodies = [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47]]
    for n in range(1, 5):
        bodies.append([n * 1.3, n * 0.4, -n * 0.2, 0.1 * n, 0.9 / n, 0.05, 0.01 * n])
    for _ in range(900):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                force = 0.001 / (dx * dx + dy * dy + dz * dz + 0.01) ** 1.5
                for body, mass, sign in ((a, b[6], -force), (b, a[6], force)):
                    body[3] += dx * mass * sign
                    body[4] += dy * mass * sign
                    body[5] += dz * mass * sign
        for body in bodies:
            body[0] += 0.001 * body[3]
            body[1] += 0.001 * body[4]
            body[2] += 0.001 * body[5]
    return round(sum(sum(body[:3]) for body in bodies), 6)


def line_parsing():
    lines = ["2024-01-%02d %02d:%02d;sensor%d;%d.%d;OK" % (n % 28 + 1, n % 24, n % 60, n % 9, n % 40, n % 10)
             for n in range(400)]
    sums = {}
    for _ in range(60):
        for line in lines:
            _, sensor, value, state = line.split(";")
            if state == "OK" and sensor.startswith("sensor"):
                number = int(sensor[6:])
                sums[number] = sums.get(number, 0.0) + float(value)
    return round(sum(sums.values()), 3)


def list_sort():
    seed, numbers = 12345, []
    for _ in range(15000):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        numbers.append(seed)
    numbers.sort()
    pairs = sorted(((n % 1000, n) for n in numbers), key=lambda pair: (pair[0], -pair[1]))
    return pairs[0][1] ^ pairs[-1][1] ^ numbers[7500]


NAMES = ("fib", "floats", "json_text", "regex", "strings", "methods", "dicts", "nbody",
         "line_parsing", "list_sort")

RESULTS = {
    "fib": 75025,
    "floats": 3203.039,
    "json_text": 397800,
    "regex": 87000,
    "strings": 775590,
    "methods": 475000,
    "dicts": 79435764,
    "nbody": 9.570385,
    "line_parsing": 478800.0,
    "list_sort": 571974433,
}
