"""The version of the package: declared here, and nowhere else."""

__version__ = "0.1.0"
