"""The workstation's half: train a Keras model, quantise it, and prove what that cost."""
