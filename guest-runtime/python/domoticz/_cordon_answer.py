"""The lines in the log about a device that the hub did or did not change.

Owns the wording of refusals. It never changes a device.
"""

import _cordon_binding as binding
import _cordon_log as log

# The words of the log for each `device-error` of the contract.
REASONS = {
    "bad-unit": "the unit number is outside 1 to 255",
    "exists": "a device with this unit exists already",
    "missing": "there is no such device, create it first",
    "not-accepting": "the hub does not accept new devices, allow new hardware in its settings",
    "unavailable": "the hub could not store it, its own log has the reason",
}


def usable(device, method):
    """Whether the object belongs to a started plugin (spec 4.3 Create)."""
    if device.__bound__:
        return True
    log.core_error(
        "'%s.%s' is ignored: the object was made before the plugin started"
        % (type(device).__name__, method)
    )
    return False


def reason(answer):
    """Why an answer of the hub is no success."""
    if answer[1] == "limit":
        return "the limit '%s' is used up (%d of %d)" % answer[2:]
    return REASONS.get(answer[1], answer[1])


def refused(name, unit, verb, why):
    """An error line: the device was not created, updated, deleted or touched."""
    log.error("device '%s' (unit %d) was not %s: %s" % (name, unit, verb, why))


def note(name, unit, verb):
    """A line for those who debug devices."""
    if binding.mask & binding.DEVICES:
        log.normal("device '%s' (unit %d) was %s" % (name, unit, verb))
