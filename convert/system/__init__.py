"""The workstation below: files, processes, progress, the command line. Knows nothing of digits."""
