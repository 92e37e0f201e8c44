"""The score, its uncertainty and its reasons: pure functions on a table of one level."""
