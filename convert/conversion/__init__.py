"""From a Keras file to a quantised file beside it: what is needed, what is tried, which one is taken."""
