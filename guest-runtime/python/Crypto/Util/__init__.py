"""Padding and counters."""
