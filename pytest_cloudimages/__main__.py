"""`python -m pytest_cloudimages` is the command `cloudimages`."""

from pytest_cloudimages.app.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
