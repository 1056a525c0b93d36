"""Train a Keras model on a workstation, quantise it for the Pi, and measure what that costs in accuracy."""
