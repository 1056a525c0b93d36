"""The process and the machine below it: files, threads, memory, time, stderr. Knows nothing of digits."""
