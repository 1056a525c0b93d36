"""The process and the machine: files, threads, memory, time, stderr. Contains nothing about digits."""
