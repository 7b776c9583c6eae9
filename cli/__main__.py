"""`python -m cli`: the same as `affirm-worker`."""

from cli.main import main

if __name__ == "__main__":
    main()
