"""Make `python -m lstmjax` the same as the command `lstmjax`."""

from lstmjax.cli.main import main

if __name__ == "__main__":
    main()
