"""Runs .tflite models with NumPy alone, where there is no TFLite runtime: ``interpreter.Interpreter`` is its door."""
