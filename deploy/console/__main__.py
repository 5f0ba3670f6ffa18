"""`python -m deploy.console`, the same as `sunherd`."""

from deploy.console.app import main

if __name__ == "__main__":
    main()
