"""The judgement of tests/slope, with a heap that does as it is told."""

import pathlib
import sys
import types
import unittest
from unittest import mock

SOURCE = pathlib.Path(__file__).parents[1] / "slope" / "measure.py"


class Heap:
    """Bytes and blocks in use, and bytes of memory."""

    def __init__(self):
        self.bytes = self.blocks = self.memory = 0

    def in_use(self):
        return self.bytes, self.blocks, self.memory


class Judgement(unittest.TestCase):
    def told(self, call, count=100_000):
        """The line about a case of which each call does `call(heap, number of the call)`."""
        heap = Heap()
        modules = {
            "_cordon": types.ModuleType("_cordon"),
            "_cordon_heap": types.SimpleNamespace(in_use=heap.in_use),
        }
        with mock.patch.dict(sys.modules, modules):
            measure = {}
            exec(compile(SOURCE.read_text(), str(SOURCE), "exec"), measure)
        measure["OPTIONS"]["count"] = count
        calls = iter(range(10**9))

        def case():
            return lambda: call(heap, next(calls))

        measure["repeat"](case, 1)
        (line,) = measure["RESULTS"]
        return line

    def test_nothing_left_is_level(self):
        line = self.told(lambda heap, call: None)
        self.assertTrue(line.startswith("level case: 0 bytes and 0 blocks"), line)

    def test_a_table_that_grew_once_is_level(self):
        def grows_once(heap, call):
            if call == 60_000:
                heap.bytes += 24_576 * 24
                heap.blocks += 1

        line = self.told(grows_once)
        self.assertTrue(line.startswith("level case: 0 bytes"), line)
        self.assertIn("before: 589824 bytes and 1 blocks in 100000 calls", line)

    def test_a_few_bytes_of_each_call_are_told(self):
        def keeps(heap, call):
            heap.bytes += 24
            heap.blocks += 1

        for count in (1000, 100_000):
            self.assertTrue(self.told(keeps, count).startswith("GROWS case"))

    def test_one_table_that_grows_with_the_calls_is_told(self):
        """Whenever it doubles: its first measurement may show nothing or everything."""

        def doubles_from(first):
            capacity = first

            def keeps(heap, call):
                nonlocal capacity
                if call > capacity:
                    heap.bytes += capacity * 24
                    capacity *= 2

            return keeps

        for first in (10, 700, 999, 1300):
            self.assertTrue(self.told(doubles_from(first)).startswith("GROWS case"), first)

    def test_memory_that_is_no_block_is_told(self):
        def keeps(heap, call):
            heap.memory += 65_536 if call % 1000 == 0 else 0

        self.assertTrue(self.told(keeps).startswith("GROWS case"))


if __name__ == "__main__":
    unittest.main()
