"""``python -m matvae``: the command line, for launchers that start modules, such as ``torchrun -m matvae``."""

from .cli import main

if __name__ == "__main__":
    main()
