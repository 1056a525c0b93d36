"""Generated handwriting: forms of the digits, writing styles, drawing with a pen, and a virtual camera."""
