"""The one user of a plugin's system."""

USER = "cordon"
UID = 1000
