"""Files, worker processes, progress and the command line of the converter; nothing about digits."""
