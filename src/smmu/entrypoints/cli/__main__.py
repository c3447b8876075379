"""`python -m smmu.entrypoints.cli`: the command `smmu` where no script of that name is installed."""

from smmu.entrypoints.cli import main

if __name__ == "__main__":
    main()
