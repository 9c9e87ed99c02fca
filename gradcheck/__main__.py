"""``python -m gradcheck`` is the command line."""

from gradcheck.cli import main

main()
