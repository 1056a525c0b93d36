"""Models for microcontrollers, as TensorFlow Lite for Microcontrollers (TFLM) runs them."""
