"""`python -m wijkatlas` is the command `wijkatlas`."""

from wijkatlas.cli import main

main()
