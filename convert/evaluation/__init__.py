"""Compare a .tflite with its Keras model, and measure how well its confidence is calibrated."""
