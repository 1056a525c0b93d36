"""``make score``: how much is read correctly, wrongly, or should not have been read at all."""
