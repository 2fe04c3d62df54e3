"""Writes the milliseconds of an import.

Arguments: the modules to import before it, joined by commas; the folder with the packages;
the module.
"""

import importlib
import sys
import time

for name in sys.argv[1].split(","):
    importlib.import_module(name)

sys.path.insert(0, sys.argv[2])
begun = time.perf_counter()
importlib.import_module(sys.argv[3])
print((time.perf_counter() - begun) * 1000, flush=True)
