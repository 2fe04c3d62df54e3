"""The micro-programs as a component made by componentize-py (world `bench`)."""

import timing


class WitWorld:
    def run(self, program):
        return timing.milliseconds(program)
