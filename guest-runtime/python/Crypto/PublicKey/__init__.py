"""Keys in pairs: none."""
