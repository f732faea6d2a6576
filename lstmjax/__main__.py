"""`python -m lstmjax` is the same as `lstmjax`."""

from lstmjax.cli.main import main

if __name__ == "__main__":
    main()
