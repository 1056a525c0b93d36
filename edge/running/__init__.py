"""What ``edge run`` needs besides the loop: live reading, metrics, new models, saved cleaning settings, systemd."""
