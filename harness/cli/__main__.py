"""``python -m harness.cli``."""

from harness.cli.application import main

if __name__ == "__main__":
    main()
