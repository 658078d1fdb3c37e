"""``python -m harness.cli``."""

from harness.cli.start import main

if __name__ == "__main__":
    main()
