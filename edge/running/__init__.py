"""What ``edge run`` needs besides the loop: live reading, metrics, model changes, systemd."""
