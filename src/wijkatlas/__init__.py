"""Dutch neighbourhood statistics, scored for priority with honest uncertainty."""

__version__ = "0.1.0"
