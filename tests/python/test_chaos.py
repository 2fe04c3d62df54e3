"""The chaos scenarios read figures out of logs and judge them."""

import os
import sys
import unittest

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos")
sys.path.append(FOLDER)

from figures import Beats, busiest_second, percentile, slope  # noqa: E402
from report import Report  # noqa: E402

LOG = """\
2026-11-30 16:03:40.584  Status: ready on http://127.0.0.1:40439/
2026-11-30 16:03:41.000  B0: beat 1 100.0000
2026-11-30 16:03:41.100  H0: beat 1 100.1000 answers=3
2026-11-30 16:03:42.010  B0: beat 2 101.0100
2026-11-30 16:03:42.300  H0: beat 2 101.3000 answers=4 took=0.2500
2026-11-30 16:03:42.500  B0: says: beat 9 9.0
2026-11-30 16:03:44.000  B0: beat 4 103.0000
2026-11-30 16:03:45.000  B0: beat 1 104.0000
2026-11-30T16:03:45.747867Z ERROR cordon::store::worker: the store could not commit
""".splitlines()


class Figures(unittest.TestCase):
    def setUp(self):
        self.beats = Beats(LOG)

    def test_lateness_is_what_is_beyond_the_interval(self):
        self.assertEqual([round(it, 4) for it in self.beats.late(1, "H")], [0.2])

    def test_a_missing_line_and_another_life_are_no_lateness(self):
        self.assertEqual([round(it, 4) for it in self.beats.late(1, "B")], [0.01])

    def test_lateness_can_be_cut_to_a_time(self):
        self.assertEqual(self.beats.late(1, since=100.05, until=101.2), [])

    def test_names_and_words(self):
        self.assertEqual(self.beats.names("H", "M"), ["H0"])
        self.assertEqual(self.beats.words("H0", "answers"), [3, 4])
        self.assertEqual(self.beats.words("H0", "took"), [0.25])
        self.assertEqual(self.beats.moments("B0"), [100.0, 101.01, 103.0, 104.0])
        self.assertEqual(self.beats.moments("nobody"), [])

    def test_percentiles(self):
        self.assertEqual(percentile(range(100), 0.99), 99)
        self.assertEqual(percentile(range(1000), 0.5), 500)
        self.assertEqual(percentile([3, 1, 2], 1.0), 3)
        self.assertIsNone(percentile([], 0.5))

    def test_the_slope_of_a_line(self):
        self.assertAlmostEqual(slope([(0, 5), (1, 7), (2, 9)]), 2)
        self.assertEqual(slope([(1, 5)]), 0)

    def test_both_kinds_of_lines_count_for_the_busiest_second(self):
        self.assertEqual(busiest_second(LOG), 3)
        self.assertEqual(busiest_second(LOG[-2:]), 2)


class Reports(unittest.TestCase):
    def setUp(self):
        self.report = Report("name", "It holds.")

    def test_one_bound_that_is_not_kept_is_failure(self):
        self.report.zero("lost", 0)
        self.assertTrue(self.report.good)
        self.report.below("late", 51.0, 50.0, "ms")
        self.assertFalse(self.report.good)
        self.assertIn("| late   | 51 ms | below 50 ms | **no** |", self.report.text())

    def test_figures_alone_prove_nothing(self):
        self.report.figure("writes", 12345)
        self.assertFalse(self.report.good)
        self.assertIn("12,345", self.report.text())

    def test_a_figure_that_is_missing_keeps_no_bound(self):
        self.report.below("late", None, 50.0)
        self.assertFalse(self.report.good)

    def test_notes_are_cut(self):
        self.report.notes_of("log", ["line %d" % number for number in range(10)], most=2)
        self.assertEqual(self.report.notes[1:], ["log: line 1", "log: 8 more"])


class Scenarios(unittest.TestCase):
    def test_the_document_has_every_scenario(self):
        import importlib.util

        place = importlib.util.spec_from_file_location("chaos_run", os.path.join(FOLDER, "run.py"))
        run = importlib.util.module_from_spec(place)
        place.loader.exec_module(run)
        with open(os.path.join(FOLDER, "README.md")) as file:
            text = file.read()
        for name, module in run.SCENARIOS.items():
            with self.subTest(name):
                self.assertIn("| `%s` |" % name, text)
                self.assertTrue(os.path.exists(os.path.join(FOLDER, module + ".py")))


if __name__ == "__main__":
    unittest.main()
