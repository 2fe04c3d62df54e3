"""Runs the micro-programs natively: a line with a name in, its milliseconds out.

The first line is the folder with the programs.
"""

import sys

sys.path.insert(0, sys.stdin.readline().strip())

from timing import milliseconds

print("up", flush=True)
while True:
    line = sys.stdin.readline()
    if not line:
        break
    print(milliseconds(line.strip()), flush=True)
