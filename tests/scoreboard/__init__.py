"""``make score``: what is read right, what wrong, and what should not have been read at all."""
