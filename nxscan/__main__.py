"""Run the command line as ``python -m nxscan``."""

from nxscan.cli import main

if __name__ == "__main__":
    main()
