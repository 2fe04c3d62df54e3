"""A plugin of the toy framework: a lamp that says what happens to it."""

import toy

toy.keep("lamp", False)
toy.log("the lamp is there")


def heartbeat():
    toy.log("tick")


def switch(name, on):
    toy.keep(name, on)
    toy.log("the %s is %s" % (name, "on" if on else "off"))


def leave():
    toy.log("goodbye")
