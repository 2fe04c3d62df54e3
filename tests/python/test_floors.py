"""The crates of the hub stand on floors, and no arrow points up.

``docs/architecture.md`` has the table. A crate may depend on crates of lower floors and on
no other crate of ours, so that two on the same floor never know each other. Cargo forbids
circles; this forbids an arrow from a lower floor to a higher one.
"""

import os
import re
import tomllib
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

_ROW = re.compile(r"^\| (\d) \| `host/([a-z]+)/` \|", re.MULTILINE)
_KINDS = ("dependencies", "dev-dependencies", "build-dependencies")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def floors(text):
    """The floor of each folder, as the table says."""
    return {folder: int(floor) for floor, folder in _ROW.findall(text)}


def crate(folder):
    return "cordon" if folder == "cordon" else "cordon-" + folder


def dependencies(manifest):
    """Names of the crates that a manifest depends on, for whatever and wherever."""
    found = set()
    for section in (manifest, *manifest.get("target", {}).values()):
        for kind in _KINDS:
            for name, value in section.get(kind, {}).items():
                found.add(value.get("package", name) if isinstance(value, dict) else name)
    return found


def wrong(table, manifests):
    """Arrows that do not point down: who depends, and on whom."""
    by_crate = {crate(folder): floor for folder, floor in table.items()}
    found = []
    for name, manifest in sorted(manifests.items()):
        for other in sorted(dependencies(manifest)):
            ours = other == "cordon" or other.startswith("cordon-")
            if ours and by_crate.get(other, len(table) + 1) >= by_crate[name]:
                found.append((name, other))
    return found


class Floors(unittest.TestCase):
    def setUp(self):
        self.table = floors(read(os.path.join("docs", "architecture.md")))

    def test_every_crate_has_a_floor(self):
        folders = [
            name
            for name in os.listdir(os.path.join(ROOT, "host"))
            if os.path.exists(os.path.join(ROOT, "host", name, "Cargo.toml"))
        ]
        self.assertEqual(sorted(self.table), sorted(folders))

    def test_no_arrow_points_up(self):
        manifests = {}
        for folder in self.table:
            manifest = tomllib.loads(read(os.path.join("host", folder, "Cargo.toml")))
            self.assertEqual(manifest["package"]["name"], crate(folder))
            manifests[crate(folder)] = manifest
        self.assertEqual(wrong(self.table, manifests), [])

    def test_code_below_the_frameworks_names_none(self):
        named = []
        for folder, floor in self.table.items():
            if floor > 3:
                continue
            for place, _, names in os.walk(os.path.join(ROOT, "host", folder, "src")):
                for name in names:
                    path = os.path.relpath(os.path.join(place, name), ROOT)
                    if re.search(r"\btests\b", path):
                        continue
                    for number, line in enumerate(read(path).split("\n"), 1):
                        code = re.split(r"(?:^|\s)//", line)[0]
                        if re.search("domoticz|indigo", code, re.IGNORECASE):
                            named.append("%s:%d: %s" % (path, number, line.strip()))
        self.assertEqual(named, [])

    def test_a_wrong_arrow_is_found(self):
        table = floors(
            "| 2 | `host/high/` | a | b |\n| 1 | `host/low/` | a | b |\n"
            "| 1 | `host/beside/` | a | b |\n"
        )
        arrows = {
            "cordon-high": "[dependencies]\ncordon-low.workspace = true\nserde = '1'\n",
            "cordon-low": "[dev-dependencies]\nx = { package = 'cordon-high', path = '.' }\n",
            "cordon-beside": "[target.'cfg(unix)'.dependencies]\ncordon-low = { path = '.' }\n"
            "[build-dependencies]\ncordon-tests = { path = '.' }\n",
        }
        manifests = {name: tomllib.loads(text) for name, text in arrows.items()}
        self.assertEqual(
            wrong(table, manifests),
            [
                ("cordon-beside", "cordon-low"),
                ("cordon-beside", "cordon-tests"),
                ("cordon-low", "cordon-high"),
            ],
        )


if __name__ == "__main__":
    unittest.main()
