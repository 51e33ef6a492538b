"""`python -m cvrl_napari` is the `cvrl` command."""

from cvrl_napari.cli.main import main

if __name__ == "__main__":
    main()
