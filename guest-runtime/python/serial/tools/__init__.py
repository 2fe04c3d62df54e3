"""Lists of ports."""
