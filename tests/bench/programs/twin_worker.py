"""The same natively: a line with an order in, a line with its figures out."""

import importlib
import json
import sys

# The programs lie in a source tree, which stays as it is.
sys.dont_write_bytecode = True

while True:
    line = sys.stdin.readline()
    if not line:
        break
    module, *words = line.split()
    figures = importlib.import_module(module).run(words)
    print(json.dumps(figures), flush=True)
