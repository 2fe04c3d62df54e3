"""Ports that are no ports of the machine, by the scheme of their URL."""
