"""The things that a scenario is given: the program, the time it may take, and hubs that are gone afterwards."""

import os
import random

from house import Site


class LeftOut(Exception):
    """The machine lacks something that a scenario needs and may do without."""


class Stage:
    """One run of one scenario."""

    def __init__(self, name, cordon, long=False, seed=0, logs=None):
        self.name = name
        self.cordon = cordon
        self.long = long
        self.random = random.Random(seed)
        self.logs = logs
        self.ends = []

    def choose(self, short, long):
        """The first in the short form, the second in the long one."""
        return long if self.long else short

    def site(self, instances, **hub):
        """A hub with room for so many instances; the rest stands under [hub]."""
        site = Site(self.cordon, instances, **hub)
        number = len(self.ends)

        def end():
            if site.process:
                site.kill()
            if self.logs:
                site.keep(os.path.join(self.logs, "%s-%d.log" % (self.name, number)))
            site.remove()

        self.ends.append(end)
        return site

    def later(self, end):
        """Has this done when the scenario is over."""
        self.ends.append(end)

    def close(self):
        """Ends what still runs."""
        while self.ends:
            self.ends.pop()()
