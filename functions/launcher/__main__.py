"""`python -m provenfix`: the same as the command `provenfix`."""

from provenfix.command import main

if __name__ == "__main__":
    main()
