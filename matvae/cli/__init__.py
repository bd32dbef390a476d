"""The command line `matvae`: parse, call one job, print. Nothing heavy is imported before a job runs."""

from .app import app, main

__all__ = ["app", "main"]
